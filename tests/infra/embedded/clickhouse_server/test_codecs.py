"""Content codings: what goes in comes out, and what is cut short is an error."""

import gzip

import lz4.frame
import pytest

from infra.embedded.clickhouse_server.codecs import ANSWER_CODINGS, BodyDecoder, answer_coding, encoded
from infra.embedded.clickhouse_server.errors import ClickHouseError

TEXT = b"the same words again and again, " * 50_000 + bytes(range(256)) * 250


def in_pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("coding", ANSWER_CODINGS)
@pytest.mark.parametrize("size", [1 << 10, 1 << 16, 1 << 24])
def test_a_body_is_decoded_whatever_pieces_it_comes_in(coding: str, size: int) -> None:
    packed = b"".join(encoded(memoryview(TEXT), coding))
    assert len(packed) < len(TEXT) // 2
    decoder = BodyDecoder(coding)
    assert b"".join(decoder.feed(piece) for piece in in_pieces(packed, size)) == TEXT
    decoder.finish()


@pytest.mark.parametrize("coding", ANSWER_CODINGS)
def test_frames_one_after_another_are_one_body(coding: str) -> None:
    packed = b"".join(encoded(memoryview(b"one "), coding)) + b"".join(encoded(memoryview(b"two"), coding))
    decoder = BodyDecoder(coding)
    assert b"".join(decoder.feed(bytes([byte])) for byte in packed) == b"one two"
    decoder.finish()


@pytest.mark.parametrize("coding", ANSWER_CODINGS)
def test_a_body_cut_short_is_an_error(coding: str) -> None:
    packed = b"".join(encoded(memoryview(TEXT), coding))
    decoder = BodyDecoder(coding)
    decoder.feed(packed[:-5])
    with pytest.raises(ClickHouseError) as raised:
        decoder.finish()
    assert raised.value.code == 271


@pytest.mark.parametrize("coding", ANSWER_CODINGS)
def test_bytes_of_another_kind_are_an_error(coding: str) -> None:
    with pytest.raises(ClickHouseError) as raised:
        BodyDecoder(coding).feed(b"SELECT 1 and certainly not compressed")
    assert raised.value.code == 271


def test_codings_are_those_of_the_standard_tools() -> None:
    assert BodyDecoder("gzip").feed(gzip.compress(b"x")) == b"x"
    assert BodyDecoder("lz4").feed(lz4.frame.compress(b"x")) == b"x"
    assert BodyDecoder("identity").feed(b"x") == b"x"


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("lz4,zstd,gzip,deflate", "lz4"),
        ("gzip;q=0.5, zstd", "zstd"),
        ("lz4;q=0, gzip", "gzip"),
        ("deflate", "deflate"),
        ("br, snappy", None),
        ("gzip;q=0", None),
        ("", None),
    ],
)
def test_the_answer_is_coded_as_the_client_accepts(accepted: str, coding: str | None) -> None:
    assert answer_coding(accepted) == coding
