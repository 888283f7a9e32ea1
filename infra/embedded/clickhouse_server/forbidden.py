"""Statements that the embedded engine would run and this server does not let through."""

from collections.abc import Sequence
from itertools import pairwise

from infra.embedded.clickhouse_server.refusals import Refused, refusal
from infra.embedded.clickhouse_server.tokens import Kind, Token

# They reach outside the engine's folder (ClickHouse confines them to user_files; the embedded engine does not) or into
# this Python process. As engines, dictionary sources and backup targets they have the same names.
_LOCAL_FUNCTIONS = (
    b"FILE", b"FILECLUSTER", b"FILELOG", b"FILESYSTEM", b"DISK", b"SQLITE", b"PYTHON", b"EXECUTABLE", b"EXECUTABLEPOOL",
)  # fmt: skip


def refuse_forbidden(found: Sequence[Token]) -> None:
    """Look through a statement without its closing semicolons, or the part of an INSERT that stands before its data.

    Raises:
        ClickHouseError: if it is one of those that are refused.
    """
    _refuse_by_opening(found)
    if any(token.is_sign(b";") for token in found):
        raise refusal(Refused.MULTI_STATEMENT)
    if any(token.kind is Kind.STRING and token.text[1:].lower().startswith(b"file:") for token in found):
        raise refusal(Refused.LOCAL_FILES)
    before: Token | None = None
    for one, two in pairwise(found):
        if one.is_word(b"INTO") and two.is_word(b"OUTFILE"):
            raise refusal(Refused.OUTFILE)
        if one.is_word(b"FROM") and two.is_word(b"INFILE"):
            raise refusal(Refused.INFILE)
        if two.is_sign(b"(") and one.kind in (Kind.WORD, Kind.QUOTED) and not _names_a_table(before):
            _refuse_function(_name(one))
        before = one


def _refuse_by_opening(found: Sequence[Token]) -> None:
    words = [token.text if token.kind is Kind.WORD else b"" for token in found[:4]] + [b""] * 4
    verb, thing = words[:2]
    if verb == b"KILL" and thing == b"QUERY":
        raise refusal(Refused.KILL_QUERY)
    if verb == b"SYSTEM" and thing in (b"SHUTDOWN", b"KILL"):
        raise refusal(Refused.SYSTEM_CONTROL)
    if verb in (b"CREATE", b"REPLACE", b"ATTACH") and b"TEMPORARY" in words:
        raise refusal(Refused.TEMPORARY_TABLE)
    takes_database_away = verb in (b"DROP", b"DETACH", b"RENAME") and thing == b"DATABASE"
    if takes_database_away and any(_name(token) == b"DEFAULT" for token in found):
        raise refusal(Refused.DEFAULT_DATABASE)


def _refuse_function(name: bytes) -> None:
    if name in _LOCAL_FUNCTIONS:
        raise refusal(Refused.LOCAL_FILES)
    if name == b"INPUT":
        raise refusal(Refused.INPUT_FUNCTION)


def _names_a_table(before: Token | None) -> bool:
    """Whether what follows this token is a table with its columns, and no function with its arguments."""
    return before is not None and (before.is_word(b"TABLE", b"EXISTS", b"INTO") or before.is_sign(b"."))


def _name(token: Token) -> bytes:
    return token.text.strip(b'`"').upper()
