"""Access tokens as clients ask for them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints

from api.schemas.common import Body, Text

MAX_NAME = 50
"""As in CVAT's schema."""


def _utc(time: datetime) -> datetime:
    try:
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError:
        raise ValueError("the date is out of range") from None


Name = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME)]
Moment = Annotated[datetime, AfterValidator(_utc)]
"""In UTC, also where the client names no time zone."""


class AccessTokenWrite(Body):
    """A new token."""

    name: Name
    expiry_date: Moment | None = None
    read_only: bool = False


class AccessTokenPatch(Body):
    """What is to change. Without a value, nothing does; but `expiry_date` may be null."""

    name: Name = ""
    expiry_date: Moment | None = None
    read_only: bool = False

    def changes(self) -> dict[str, Any]:
        """The fields that the client sent."""
        return self.model_dump(exclude_unset=True)
