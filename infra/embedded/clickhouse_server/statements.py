"""What one statement is: an INSERT with data behind it, or a statement for the engine, or one we refuse."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from infra.embedded.clickhouse_server.errors import syntax_error
from infra.embedded.clickhouse_server.forbidden import refuse_forbidden
from infra.embedded.clickhouse_server.refusals import Refused, refusal
from infra.embedded.clickhouse_server.tokens import Kind, Token, tokens

_ANSWERING = (b"SELECT", b"WITH", b"SHOW", b"DESC", b"DESCRIBE", b"EXISTS", b"EXPLAIN", b"CHECK", b"FROM", b"KILL")
_BEFORE_DATA = re.compile(rb"[ \t\f]*\r?\n?")
_OPENING, _CLOSING = b"([{", b")]}"


@dataclass(frozen=True, slots=True)
class DataInsert:
    """`INSERT ... FORMAT x <data>` or `INSERT ... VALUES <data>`, cut into its parts.

    Attributes:
        target: the statement up to and without SETTINGS, FORMAT or VALUES.
        settings: the text behind SETTINGS, or empty.
        input_format: the data's format.
        data_start: where the data begins in the bytes that were read.
    """

    target: bytes
    settings: bytes
    input_format: str
    data_start: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that is whole in itself.

    Attributes:
        verb: its first word in upper case; `SELECT` for a parenthesised one; empty if there is none.
        answers: whether it gives rows (even none) in a format.
        output_format: the format its FORMAT clause names, if it has one.
        has_settings: whether it has a SETTINGS clause.
    """

    verb: str
    answers: bool
    output_format: str | None
    has_settings: bool


def read_insert(sql: bytes) -> DataInsert | None:
    """The INSERT that data follows, or None if `sql` does not begin with one (or not with enough of it).

    Only the part before the data is read, so `sql` may be the first piece of a long body.

    Raises:
        ClickHouseError: for FROM INFILE, for a refused target and for `FORMAT x;`, which ClickHouse refuses too.
    """
    settings: Token | None = None
    for head, previous in _clauses(sql):
        token = head[-1]
        if previous is not None and token.is_word(b"INFILE") and previous.is_word(b"FROM"):
            raise refusal(Refused.INFILE)
        if token.is_word(b"SETTINGS"):
            settings = settings or token
        elif token.is_word(b"VALUES"):
            refuse_forbidden(head[:-1])
            return _cut(sql, settings, token, "Values", token.end)
        elif previous is not None and previous.is_word(b"FORMAT"):
            refuse_forbidden(head[:-2])
            if sql[token.end : token.end + 1] == b";":
                raise syntax_error("You have excessive ';' symbol before data for INSERT")
            gap = _BEFORE_DATA.match(sql, token.end)
            input_format = sql[token.start : token.end].decode(errors="replace")
            return _cut(sql, settings, previous, input_format, gap.end() if gap else token.end)
    return None


def read_statement(sql: bytes) -> Statement:
    """What a statement without data is.

    Raises:
        ClickHouseError: if it is one of the statements this server refuses.
    """
    found = list(tokens(sql))
    while found and found[-1].is_sign(b";"):
        found.pop()
    refuse_forbidden(found)
    first = next((token for token in found if not token.is_sign(b"(")), None)
    verb = first.text if first is not None and first.kind is Kind.WORD else b""
    inserts = verb == b"WITH" and any(token.is_word(b"INSERT") for token in found)
    return Statement(
        verb=verb.decode(errors="replace"),
        answers=verb in _ANSWERING and not inserts,
        output_format=_output_format(sql, found),
        has_settings=_has_settings(found),
    )


def _step(token: Token) -> int:
    if token.kind is not Kind.SIGN:
        return 0
    return (token.text in _OPENING) - (token.text in _CLOSING)


def _clauses(sql: bytes) -> Iterator[tuple[list[Token], Token | None]]:
    """All tokens so far, each time the last one is an outermost word behind the table's name; and the word before it.

    The second is None if no such word stands right before it.

    Ends at once if `sql` is no INSERT, and at the SELECT of an INSERT that takes its rows from one.
    """
    head: list[Token] = []
    depth = 0
    named = False
    word: Token | None = None
    for token in tokens(sql):
        previous = head[-1] if head else token
        head.append(token)
        depth += _step(token)
        if len(head) == 1 and not token.is_word(b"INSERT"):
            return
        if token.is_word(b"SELECT", b"WITH") and (previous.is_sign(b"(") or (named and not depth)):
            return
        if depth:
            continue
        if not named:
            named = _ends_target(head)
        elif token.kind is Kind.WORD and not previous.is_sign(b"."):
            yield head, word
            word = token
        else:
            word = None


def _ends_target(head: Sequence[Token]) -> bool:
    """Whether the last token at the outermost level is (the first part of) the table's name."""
    last = head[-1]
    if last.is_word(b"INSERT", b"INTO") and len(head) <= 2:
        return False
    return not (last.is_word(b"TABLE", b"FUNCTION") and len(head) <= 3 and head[-2].is_word(b"INSERT", b"INTO"))


def _cut(sql: bytes, settings: Token | None, clause: Token, input_format: str, data_start: int) -> DataInsert:
    return DataInsert(
        target=sql[: settings.start if settings else clause.start],
        settings=sql[settings.end : clause.start] if settings else b"",
        input_format=input_format,
        data_start=data_start,
    )


def _output_format(sql: bytes, found: Sequence[Token]) -> str | None:
    """The name in a FORMAT clause: it ends the statement, or only SETTINGS stand behind it."""
    for place in range(len(found) - 2, -1, -1):
        if not (found[place].is_word(b"FORMAT") and found[place + 1].kind is Kind.WORD):
            continue
        if place and found[place - 1].is_sign(b"."):
            continue
        behind = found[place + 2 : place + 3]
        if not behind or behind[0].is_word(b"SETTINGS"):
            return sql[found[place + 1].start : found[place + 1].end].decode(errors="replace")
    return None


def _has_settings(found: Sequence[Token]) -> bool:
    return any(
        one.is_word(b"SETTINGS") and two.kind is Kind.WORD and three.is_sign(b"=")
        for one, two, three in zip(found, found[1:], found[2:], strict=False)
    )
