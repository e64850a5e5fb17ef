"""Everything that can be refused, as typed errors. A docstring is the default message.

Adapters and rules raise these; one place in the API (`api/errors.py`) turns them into HTTP.
"""

from __future__ import annotations

from typing import Any


class AnnalsError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())

    @property
    def message(self) -> str:
        return str(self.args[0])


class Invalid(AnnalsError):
    """The input is invalid."""

    def __init__(self, detail: Any) -> None:
        """`detail` is CVAT's error body: `{"field": [text]}`, `[text]` or a text."""
        self.detail = detail
        super().__init__(str(detail))


class NotOffered(AnnalsError):
    """This server does not offer this."""


class NotFound(AnnalsError):
    """Not found."""


class Forbidden(AnnalsError):
    """You do not have permission to perform this action."""


class NotAuthenticated(AnnalsError):
    """Authentication credentials were not provided."""


class TooLarge(AnnalsError):
    """The content is larger than this server accepts."""


class TooMany(AnnalsError):
    """Too much of this goes on at once; try again when some of it has ended."""

    def __init__(self, message: str | None = None, retry_after: int = 2) -> None:
        """`retry_after`: seconds after which another try may do."""
        self.retry_after = retry_after
        super().__init__(message)


class Conflict(AnnalsError):
    """The present state does not allow this."""


class VersionConflict(Conflict):
    """Somebody else changed this first."""

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        self.stream, self.expected, self.actual = stream, expected, actual
        super().__init__(f"{stream} is at version {actual}, not {expected}: somebody else changed it first")


class DoneBefore(Conflict):
    """This was done already, under the same key."""


class RequestInProgress(Conflict):
    """The same request is already being processed."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        super().__init__(f"Request {request_id} is already being processed")


class Unavailable(AnnalsError):
    """A service that this needs does not answer; try again."""


class StorageFull(Unavailable):
    """There is no space left to store this."""


class MediaError(AnnalsError):
    """A media file cannot be used. The message names the file."""
