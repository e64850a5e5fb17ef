"""Users: who may come in, what they may do, and their logins."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.errors import Conflict, DoneBefore, Invalid, VersionConflict
from domain.event import Body, Context
from domain.events.user import (
    UserDeactivated,
    UserDeleted,
    UserLoggedIn,
    UserLoggedOut,
    UserPasswordChanged,
    UserProfileChanged,
    UserReactivated,
    UserRegistered,
    UserRoleChanged,
)
from domain.password_rules import check_password
from domain.ports import Account, Log
from domain.retry import decide_again

ADMIN, USER, WORKER, NONE = "admin", "user", "worker", "none"
ROLES = (ADMIN, USER, WORKER, NONE)
"""From the one who may do most to the one who may do nothing."""

FLAGS_OF_ADMINS = ("is_staff", "is_superuser", "has_analytics_access")
"""Fields of a user that are set for administrators, and for nobody else."""

LOGIN_LASTS = timedelta(days=14)
MIN_OWN_NAME = 5
"""Letters of a name that somebody takes for himself; operators also give shorter ones."""

TAKEN = {"username": ["A user with that username already exists."]}
EMAIL_TAKEN = {"email": ["A user is already registered with this e-mail address."]}
LAST_ADMIN = "This is the last active administrator: make somebody else one first"
USERNAME = re.compile(r"^[\w.@+-]{1,150}\Z")
EMAIL = re.compile(r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+\Z")


@dataclass(frozen=True)
class Login:
    """What a client gets at login; only digests of the two secrets are kept."""

    login_id: int
    cookie: str
    token: str
    expires: datetime


def digest(secret: str) -> str:
    """What is kept of a cookie or token: its SHA-256, in hex. They are random, so no salt is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def check_username(username: str) -> None:
    if not USERNAME.match(username):
        raise Invalid({"username": ["Enter 1 to 150 letters, digits or @ . + - _ characters."]})


class Users:
    """The use cases of users. They decide on what the projections know, not on a user's whole history: that grows with
    every login.
    """

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
        """Returns the new user's id. Raises Invalid for a name that is malformed or taken, or a bad password."""
        check_password(password, username, email)
        user_id = self._free(username)
        password_hash = self._log.passwords.hash(password)
        body = UserRegistered(user_id, username, email, first_name, last_name, is_admin, password_hash)
        self._named(lambda: self._log.record(context, [body], {body.stream: 0}))
        return user_id

    def sign_up(
        self, context: Context, username: str, password: str, *, email: str, first_name: str, last_name: str
    ) -> Login:
        """Somebody makes an account for himself and is logged in. Raises Invalid."""
        if len(username) < MIN_OWN_NAME:
            raise Invalid({"username": [f"Ensure this field has at least {MIN_OWN_NAME} characters."]})
        check_password(password, username, email, field="password1")
        self._check_email(email)
        user_id = self._free(username)
        password_hash = self._log.passwords.hash(password)
        login, opened = self._new_login(user_id)
        body = UserRegistered(user_id, username, email, first_name, last_name, False, password_hash)
        who = replace(context, actor=replace(context.actor, user_id=user_id, username=username, email=email))
        self._named(lambda: self._log.record(who, [body, opened], {body.stream: 0}))
        return login

    @decide_again
    def update(
        self,
        context: Context,
        user_id: int,
        *,
        profile: Mapping[str, str] | None = None,
        role: str | None = None,
        is_active: bool | None = None,
    ) -> None:
        """`profile`: username, email, first_name, last_name, or some of them. Raises NotFound; Invalid; Conflict for
        the last active administrator, who must stay one.
        """
        account = self._log.lookup.account(user_id)
        bodies = [*self._edited(account, profile or {}), *_moved(account, role), *_switched(account, is_active)]
        expect = dict(account.versions)
        if role not in (None, ADMIN) or is_active is False:
            expect |= self._successor(account)
        if bodies:
            self._named(lambda: self._log.record(context, bodies, expect))

    @decide_again
    def delete(self, context: Context, user_id: int) -> None:
        """For good. What the user owned stays. Raises NotFound; Conflict for the last active administrator."""
        account = self._log.lookup.account(user_id)
        expect = {**account.versions, **self._successor(account)}
        tokens = self._log.lookup.access_tokens(user_id)
        self._log.record(context, [UserDeleted(user_id, account.username, tokens)], expect)

    @decide_again
    def change_password(
        self, context: Context, user_id: int, password: str, *, field: str = "password", keep_login: int | None = None
    ) -> None:
        """Every open login of the user ends, except the one to keep. Raises NotFound; Invalid, at `field`."""
        account = self._log.lookup.account(user_id)
        check_password(password, account.username, account.email, field=field)
        bodies: list[Body] = [UserPasswordChanged(user_id, self._log.passwords.hash(password))]
        kept = self._log.lookup.login(keep_login) if keep_login is not None else None
        if kept is not None:
            bodies.append(UserLoggedIn(user_id, kept.login_id, kept.cookie_hash, kept.token_hash, kept.expires))
        self._log.record(context, bodies, account.versions)

    def log_in(self, context: Context, user_id: int) -> Login:
        """Opens a login for a user whose password has been checked."""
        login, body = self._new_login(user_id)
        self._log.record(context, [body])
        return login

    def log_out(self, context: Context, user_id: int, login_id: int) -> None:
        """Closing a login that is closed already changes nothing. Raises NotFound."""
        self._log.lookup.account(user_id)
        if self._log.lookup.login(login_id) is not None:
            self._log.record(context, [UserLoggedOut(user_id, login_id)])

    def _new_login(self, user_id: int) -> tuple[Login, UserLoggedIn]:
        expires = self._log.clock() + LOGIN_LASTS
        # 20 random bytes: 40 hex digits, the most that the clients take for a token.
        login = Login(self._log.ids.one("login"), secrets.token_hex(16), secrets.token_hex(20), expires)
        return login, UserLoggedIn(user_id, login.login_id, digest(login.cookie), digest(login.token), expires)

    def _free(self, username: str) -> int:
        """The id of a user who is to get this name."""
        check_username(username)
        if self._log.lookup.username_taken(username):
            raise Invalid(TAKEN)
        return self._log.ids.one("user")

    def _check_email(self, email: str) -> None:
        if email and not EMAIL.match(email):
            raise Invalid({"email": ["Enter a valid email address."]})
        if email and self._log.lookup.email_taken(email):
            raise Invalid(EMAIL_TAKEN)

    def _named(self, record: Callable[[], object]) -> None:
        """Records something that gives a name, which somebody may take in the meantime."""
        try:
            record()
        except (VersionConflict, DoneBefore):
            raise
        except Conflict:
            raise Invalid(TAKEN) from None

    def _edited(self, account: Account, profile: Mapping[str, str]) -> list[Body]:
        changes = {
            name: {"from": getattr(account, name), "to": value}
            for name, value in profile.items()
            if value != getattr(account, name)
        }
        username, email = changes.get("username"), changes.get("email")
        if username:
            check_username(username["to"])
            if username["to"].lower() != account.username.lower() and self._log.lookup.username_taken(username["to"]):
                raise Invalid(TAKEN)
        if email and email["to"].lower() != account.email.lower():
            self._check_email(email["to"])
        return [UserProfileChanged(account.user_id, changes)] if changes else []

    def _successor(self, account: Account) -> Mapping[str, int]:
        """What must not change while this user stops being an active administrator: that there is another one."""
        if account.role != ADMIN or not account.is_active:
            return {}
        other = self._log.lookup.other_active_admin(account.user_id)
        if not other:
            raise Conflict(LAST_ADMIN)
        return other


def _moved(account: Account, role: str | None) -> list[Body]:
    if role in (None, account.role):
        return []
    if role not in ROLES:
        raise Invalid({"groups": [f"Object with name={role} does not exist."]})
    was, becomes = account.role == ADMIN, role == ADMIN
    changes = {flag: {"from": was, "to": becomes} for flag in FLAGS_OF_ADMINS if was != becomes}
    return [UserRoleChanged(account.user_id, role, account.role, changes)]


def _switched(account: Account, is_active: bool | None) -> list[Body]:
    if is_active in (None, account.is_active):
        return []
    return [UserReactivated(account.user_id) if is_active else UserDeactivated(account.user_id)]
