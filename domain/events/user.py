"""What happens to users. Stream: `user-<id>`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.event import Body, event_type, upcaster
from domain.events.access_token import NamedToken


class UserBody(Body):
    __slots__ = ()
    user_id: int

    @property
    def stream(self) -> str:
        return f"user-{self.user_id}"


@event_type("UserRegistered", secret=("password_hash",))
@dataclass(frozen=True)
class UserRegistered(UserBody):
    """A person (or a robot) got an account. `password_hash` is an argon2id string."""

    user_id: int
    username: str
    email: str
    first_name: str
    last_name: str
    is_admin: bool
    password_hash: str


@event_type("UserProfileChanged")
@dataclass(frozen=True)
class UserProfileChanged(UserBody):
    """Names or the e-mail address were edited. `changes`: field → {"from": old, "to": new}."""

    user_id: int
    changes: dict[str, dict[str, Any]]


@event_type("UserRoleChanged", version=2)
@dataclass(frozen=True)
class UserRoleChanged(UserBody):
    """What the user may do at all: admin, user, worker or none, from most to least. `changes`: the fields of the user
    that follow from it: field → {"from": old, "to": new}.
    """

    user_id: int
    role: str
    previous_role: str
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)


@upcaster("UserRoleChanged", 1)
def _with_changes(fields: dict[str, Any]) -> dict[str, Any]:
    """Version 1 did not say what followed."""
    return {**fields, "changes": {}}


@event_type("UserDeactivated")
@dataclass(frozen=True)
class UserDeactivated(UserBody):
    """The user is locked out. Every login ends; access tokens do not work until the user is active again."""

    user_id: int


@event_type("UserReactivated")
@dataclass(frozen=True)
class UserReactivated(UserBody):
    """The user may come in again."""

    user_id: int


@event_type("UserDeleted", version=2)
@dataclass(frozen=True)
class UserDeleted(UserBody):
    """An account was closed for good, with its logins and `access_tokens`; the name is free again. What the user made,
    owned or was given stays as it is.
    """

    user_id: int
    username: str
    access_tokens: list[NamedToken] = field(default_factory=list)


@upcaster("UserDeleted", 1)
def _with_access_tokens(fields: dict[str, Any]) -> dict[str, Any]:
    """Version 1 did not say which tokens the user had."""
    return {**fields, "access_tokens": []}


@event_type("UserPasswordChanged", secret=("password_hash",))
@dataclass(frozen=True)
class UserPasswordChanged(UserBody):
    """A password was replaced; every login of the user ends with it. The one that it was changed through is opened
    again by a `UserLoggedIn` recorded with this event.
    """

    user_id: int
    password_hash: str


@event_type("UserLoggedIn", secret=("cookie_hash", "token_hash"))
@dataclass(frozen=True)
class UserLoggedIn(UserBody):
    """A login was opened: a cookie for browsers and the SDK, a token for scripts. Only SHA-256 digests are kept."""

    user_id: int
    login_id: int
    cookie_hash: str
    token_hash: str
    expires: datetime


@event_type("UserLoggedOut")
@dataclass(frozen=True)
class UserLoggedOut(UserBody):
    """A login was closed by its owner."""

    user_id: int
    login_id: int
