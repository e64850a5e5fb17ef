"""ClickHouse's errors: codes, names, texts, and the HTTP status that ClickHouse gives each."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Final

from domain.errors import AnnalsError


class Code(IntEnum):
    """The codes that the endpoint itself uses; the engine knows some 700 more."""

    BAD_ARGUMENTS = 36
    CHECKSUM_DOESNT_MATCH = 40
    NOT_IMPLEMENTED = 48
    SYNTAX_ERROR = 62
    UNKNOWN_FORMAT = 73
    UNKNOWN_COMPRESSION_METHOD = 89
    UNKNOWN_SETTING = 115
    READONLY = 164
    TOO_MANY_SIMULTANEOUS_QUERIES = 202
    SOCKET_TIMEOUT = 209
    QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING = 216
    NOT_ENOUGH_SPACE = 243
    CANNOT_DECOMPRESS = 271
    QUERY_IS_TOO_LARGE = 307
    SESSION_NOT_FOUND = 372
    QUERY_WAS_CANCELLED = 394
    SETTING_CONSTRAINT_VIOLATION = 452
    ACCESS_DENIED = 497
    AUTHENTICATION_FAILED = 516
    POCO_EXCEPTION = 1000


# As src/Server/HTTP/exceptionCodeToHTTPStatus.cpp of ClickHouse, but refusals are 403 rather than 500: a 5xx invites
# clients to try again.
_STATUS: Final[dict[int, int]] = {
    **dict.fromkeys((6, 15, 25, 26, 27, 33, 36, 38, 41, 42, 43, 44, 53, 62, 69, 70, 72, 117, 271, 376, 456, 457), 400),
    **dict.fromkeys((164, 192, 193, 446, 452, 497, 516), 403),
    **dict.fromkeys((16, 46, 47, 50, 56, 60, 63, 73, 81, 115, 372), 404),
    **dict.fromkeys((159, 209), 408),
    307: 413,
    **dict.fromkeys((48, 89, 344), 501),
    **dict.fromkeys((202, 439), 503),
}

_HEAD: Final = re.compile(r"Code: (\d+)\. DB::Exception: ")
_TAIL: Final = re.compile(r"[.\s]*\((?:version [^()]*|[A-Z][A-Z0-9_]+)\)[.\s]*$")
_NAME: Final = re.compile(r"\(([A-Z][A-Z0-9_]+)\)")


class QueryFailed(AnnalsError):
    """A statement was refused or failed. `code` and `name` are ClickHouse's, e.g. 60 and UNKNOWN_TABLE."""

    def __init__(self, code: int, message: str, name: str | None = None) -> None:
        self.code = int(code)
        self.name = name or (code.name if isinstance(code, Code) else "UNKNOWN_EXCEPTION")
        super().__init__(message)

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return _STATUS.get(self.code, 500)

    def text(self, version: str) -> str:
        """The body of the answer, as a ClickHouse server words it."""
        return f"Code: {self.code}. DB::Exception: {self.message}. ({self.name}) (version {version})\n"


def from_engine(error: BaseException) -> QueryFailed:
    """The typed error in an exception of chdb, whose text repeats head and tail for each layer that it went through."""
    text = str(error)
    if (head := _HEAD.search(text)) is None:
        return QueryFailed(Code.POCO_EXCEPTION, text.strip() or type(error).__name__)
    names = _NAME.findall(text)
    body = text[head.end() :]
    while again := _HEAD.match(body):
        body = body[again.end() :]
    while tail := _TAIL.search(body):
        body = body[: tail.start()]
    return QueryFailed(int(head[1]), body.strip(), names[-1] if names else None)
