"""What happens to users. Stream: `user-<id>`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.event import Body, event_type


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


@event_type("UserPasswordChanged", secret=("password_hash",))
@dataclass(frozen=True)
class UserPasswordChanged(UserBody):
    """A password was replaced; every login of the user ends with it."""

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
