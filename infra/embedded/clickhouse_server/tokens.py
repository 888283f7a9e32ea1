"""ClickHouse's lexer, as far as telling words from strings and comments goes."""

import re
from collections.abc import Iterator
from enum import Enum, auto
from mmap import mmap
from typing import NamedTuple

# Rules of src/Parsers/Lexer.cpp: quotes are escaped by a backslash or by doubling, typographic quotes count, `#` starts
# a comment only before a blank or `!`, `$tag$ ... $tag$` is a string, block comments nest. An unfinished quote takes
# all that is left (`broken`), an unfinished comment too; the engine then reports it.
_TOKEN = re.compile(
    rb"""
      (?P<blank> \s+ | (?: -- | // | \#[ !] )[^\n]* )
    | (?P<comment> /\* )
    | (?P<string> '(?:[^'\\]|\\.|'')*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ | \xe2\x80\x98.*?\xe2\x80\x99 )
    | (?P<quoted> `(?:[^`\\]|\\.|``)*` | "(?:[^"\\]|\\.|"")*" | \xe2\x80\x9c.*?\xe2\x80\x9d )
    | (?P<word> [A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]* )
    | (?P<number> [0-9][A-Za-z0-9_.]* )
    | (?P<broken> ['`"].* )
    | (?P<sign> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(rb"/\*|\*/")


class Kind(Enum):
    """What a token is. Comments and blanks are no tokens."""

    STRING = auto()
    QUOTED = auto()
    WORD = auto()
    NUMBER = auto()
    BROKEN = auto()
    SIGN = auto()


class Token(NamedTuple):
    """A token with its place: `text` is `sql[start:end]`, in upper case if it is an unquoted word."""

    kind: Kind
    text: bytes
    start: int
    end: int

    def is_word(self, *words: bytes) -> bool:
        """Whether this is one of these unquoted words (given in upper case)."""
        return self.kind is Kind.WORD and self.text in words

    def is_sign(self, sign: bytes) -> bool:
        """Whether this is this punctuation character."""
        return self.kind is Kind.SIGN and self.text == sign


def tokens(sql: bytes | mmap) -> Iterator[Token]:
    """The tokens of `sql` from left to right, lazily: a reader may stop before an INSERT's data."""
    place = 0
    while match := _TOKEN.match(sql, place):
        group = match.lastgroup
        place = match.end()
        if group == "comment":
            place = _end_of_comment(sql, place)
        elif group is not None and group != "blank":
            kind = Kind[group.upper()]
            text = match.group()
            yield Token(kind, text.upper() if kind is Kind.WORD else text, match.start(), match.end())


def _end_of_comment(sql: bytes | mmap, place: int) -> int:
    depth = 1
    while depth:
        edge = _COMMENT_EDGE.search(sql, place)
        if edge is None:
            return len(sql)
        depth += 1 if edge.group() == b"/*" else -1
        place = edge.end()
    return place
