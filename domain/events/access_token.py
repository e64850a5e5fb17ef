"""What happens to access tokens. Stream: `access_token-<id>`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from domain.event import Body, event_type


class NamedToken(TypedDict):
    """A token as something that ended with its user's account."""

    id: int
    name: str


class AccessTokenBody(Body):
    __slots__ = ()
    token_id: int

    @property
    def stream(self) -> str:
        return f"access_token-{self.token_id}"


@event_type("AccessTokenCreated", secret=("value_hash",))
@dataclass(frozen=True)
class AccessTokenCreated(AccessTokenBody):
    """A user made a token for a script. Only the SHA-256 of its value is kept. `expiry_date` None: it ends
    only when it is revoked.
    """

    token_id: int
    user_id: int
    name: str
    read_only: bool
    expiry_date: datetime | None
    value_hash: str


@event_type("AccessTokenChanged")
@dataclass(frozen=True)
class AccessTokenChanged(AccessTokenBody):
    """A token's name, rights or end were edited. `changes`: field → {"from": old, "to": new}; dates are ISO texts."""

    token_id: int
    user_id: int
    changes: dict[str, dict[str, Any]]


@event_type("AccessTokenUsed")
@dataclass(frozen=True)
class AccessTokenUsed(AccessTokenBody):
    """A token was used; recorded at most once in a day."""

    token_id: int
    user_id: int


@event_type("AccessTokenRevoked")
@dataclass(frozen=True)
class AccessTokenRevoked(AccessTokenBody):
    """A token was withdrawn: it opens nothing any more."""

    token_id: int
    user_id: int
    name: str
