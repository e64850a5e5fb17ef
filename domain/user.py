"""Users: registering, logging in and out."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from domain.errors import Conflict, Invalid, NotFound
from domain.event import Body, Context
from domain.events.user import UserLoggedIn, UserLoggedOut, UserPasswordChanged, UserRegistered
from domain.ports import Log

LOGIN_LASTS = timedelta(days=14)
MIN_PASSWORD = 8
TAKEN = {"username": ["A user with that username already exists."]}
USERNAME = re.compile(r"^[\w.@+-]{1,150}\Z")


@dataclass(frozen=True)
class Login:
    """What a client gets at login; only digests of the two secrets are kept."""

    login_id: int
    cookie: str
    token: str
    expires: datetime


@dataclass(frozen=True)
class User:
    """What decisions need to know of a user."""

    user_id: int
    open_logins: frozenset[int] = field(default_factory=frozenset)


def evolve(user: User | None, body: Body) -> User | None:
    if isinstance(body, UserRegistered):
        return User(body.user_id)
    if user is None:
        return None
    if isinstance(body, UserLoggedIn):
        return replace(user, open_logins=user.open_logins | {body.login_id})
    if isinstance(body, UserLoggedOut):
        return replace(user, open_logins=user.open_logins - {body.login_id})
    if isinstance(body, UserPasswordChanged):
        return replace(user, open_logins=frozenset())
    return user


def digest(secret: str) -> str:
    """What is kept of a cookie or token: its SHA-256, in hex. They are random, so no salt is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def check_username(username: str) -> None:
    if not USERNAME.match(username):
        raise Invalid({"username": ["Enter 1 to 150 letters, digits or @ . + - _ characters."]})


def check_password(password: str) -> None:
    if len(password) < MIN_PASSWORD:
        raise Invalid(
            {"password": [f"This password is too short. It must contain at least {MIN_PASSWORD} characters."]}
        )


class Users:
    """The use cases of users."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def register(
        self,
        context: Context,
        username: str,
        password: str,
        *,
        email: str = "",
        first_name: str = "",
        last_name: str = "",
        is_admin: bool = False,
    ) -> int:
        """Returns the new user's id. Raises Invalid for a name that is malformed or taken, or a short password."""
        check_username(username)
        check_password(password)
        if self._log.lookup.username_taken(username):
            raise Invalid(TAKEN)
        user_id = self._log.ids.one("user")
        password_hash = self._log.passwords.hash(password)
        body = UserRegistered(user_id, username, email, first_name, last_name, is_admin, password_hash)
        try:
            self._log.record(context, [body], {body.stream: 0})
        except Conflict:  # somebody took the name in the meantime
            raise Invalid(TAKEN) from None
        return user_id

    def change_password(self, context: Context, user_id: int, password: str) -> None:
        """Every open login of the user ends."""
        check_password(password)
        self._known(user_id)
        self._log.record(context, [UserPasswordChanged(user_id, self._log.passwords.hash(password))])

    def log_in(self, context: Context, user_id: int) -> Login:
        """Opens a login for a user whose password has been checked."""
        expires = self._log.clock() + LOGIN_LASTS
        # 20 random bytes: 40 hex digits, the most that the clients take for a token.
        login = Login(self._log.ids.one("login"), secrets.token_hex(16), secrets.token_hex(20), expires)
        body = UserLoggedIn(user_id, login.login_id, digest(login.cookie), digest(login.token), expires)
        self._log.record(context, [body])
        return login

    def log_out(self, context: Context, user_id: int, login_id: int) -> None:
        """Closing a login that is closed already changes nothing."""
        if login_id in self._known(user_id).open_logins:
            self._log.record(context, [UserLoggedOut(user_id, login_id)])

    def _known(self, user_id: int) -> User:
        user, _ = self._log.load(f"user-{user_id}", evolve, None)
        if user is None:
            raise NotFound
        return user
