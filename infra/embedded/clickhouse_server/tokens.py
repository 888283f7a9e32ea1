"""ClickHouse's lexer, as far as telling words from strings and comments goes."""

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

# Rules of src/Parsers/Lexer.cpp: quotes are escaped by a backslash or by doubling, `#` starts a comment only before a
# blank or `!`, `$tag$ ... $tag$` is a string, block comments do not nest. An unfinished quote or comment takes all
# that is left (`broken`); the engine then reports it.
_TOKEN = re.compile(
    rb"""
      (?P<blank> \s+ | --[^\n]* | \#[ !][^\n]* | /\*.*?\*/ )
    | (?P<string> '(?:[^'\\]|\\.|'')*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
    | (?P<quoted> `(?:[^`\\]|\\.|``)*` | "(?:[^"\\]|\\.|"")*" )
    | (?P<word> [A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]* )
    | (?P<number> [0-9][A-Za-z0-9_.]* )
    | (?P<broken> (?: ['`"] | /\* ) .* )
    | (?P<sign> . )
    """,
    re.VERBOSE | re.DOTALL,
)


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


def tokens(sql: bytes) -> Iterator[Token]:
    """The tokens of `sql` from left to right, lazily: a reader may stop before an INSERT's data."""
    for match in _TOKEN.finditer(sql):
        group = match.lastgroup
        if group is None or group == "blank":
            continue
        kind = Kind[group.upper()]
        text = match.group()
        yield Token(kind, text.upper() if kind is Kind.WORD else text, match.start(), match.end())
