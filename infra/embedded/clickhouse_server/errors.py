"""Errors as ClickHouse words them, and the HTTP status ClickHouse gives each code."""

import re

_CODE = re.compile(r"Code: (\d+)\.")
_NAME = re.compile(r"\(([A-Z][A-Z0-9_]+)\)")

# ClickHouse's own table: src/Server/HTTP/exceptionCodeToHTTPStatus.cpp. Every other code is a 500.
_STATUS_OF_CODE: dict[int, int] = {
    194: 401,  # REQUIRED_PASSWORD
    **dict.fromkeys((192, 193, 497, 512, 516), 403),  # user, password, access, role
    **dict.fromkeys((6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123), 400),  # bad statement or value
    **dict.fromkeys((167, 168, 223, 321, 376, 427, 441, 675, 676), 400),
    **dict.fromkeys((46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511), 404),  # UNKNOWN_...
    159: 408,  # TIMEOUT_EXCEEDED
    381: 411,  # HTTP_LENGTH_REQUIRED
    229: 413,  # QUERY_IS_TOO_LARGE
    779: 415,  # UNSUPPORTED_MEDIA_TYPE
    48: 501,  # NOT_IMPLEMENTED
    **dict.fromkeys((76, 209, 439), 503),  # CANNOT_OPEN_FILE, SOCKET_TIMEOUT, CANNOT_SCHEDULE_TASK
}


class ClickHouseError(Exception):
    """An error a client of ClickHouse can read: a code, the code's name and one sentence."""

    def __init__(self, code: int, name: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.text = f"Code: {code}. DB::Exception: {message} ({name})"

    @property
    def status(self) -> int:
        """The HTTP status ClickHouse answers this code with."""
        return _STATUS_OF_CODE.get(self.code, 500)


class EngineError(ClickHouseError):
    """What the engine raised, with its own words."""

    def __init__(self, engine_text: str) -> None:
        start = engine_text.find("Code: ")
        text = engine_text[start:].strip() if start >= 0 else engine_text.strip()
        code = _CODE.search(text)
        names = _NAME.findall(text)
        super().__init__(int(code.group(1)) if code else 1002, names[-1] if names else "UNKNOWN_EXCEPTION", text)
        if code:
            self.text = text


def bad_argument(message: str) -> ClickHouseError:
    """A parameter or header whose value cannot be used."""
    return ClickHouseError(36, "BAD_ARGUMENTS", message)


def syntax_error(message: str) -> ClickHouseError:
    """A statement or request that cannot be read."""
    return ClickHouseError(62, "SYNTAX_ERROR", message)
