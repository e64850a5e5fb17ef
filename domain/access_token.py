"""Access tokens: what scripts come in with, in the name of a user."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from domain.errors import Invalid, NotFound
from domain.event import Body, Context
from domain.events.access_token import AccessTokenChanged, AccessTokenCreated, AccessTokenRevoked, AccessTokenUsed
from domain.ports import Log
from domain.retry import decide_again
from domain.user import digest

PREFIX = "annals_pat_"
"""Of each value, so that secret scanners know one when they see it."""

NOTED_EVERY = timedelta(days=1)
"""How often it is noted that a token is used; CVAT tells it no more exactly than to the day."""

MAX_TOKENS = 100
"""That a user may have at a time."""


@dataclass(frozen=True)
class AccessToken:
    """What decisions need to know of a token."""

    token_id: int
    user_id: int
    name: str
    read_only: bool
    expiry_date: datetime | None
    revoked: bool = False


def evolve(token: AccessToken | None, body: Body) -> AccessToken | None:
    if isinstance(body, AccessTokenCreated):
        return AccessToken(body.token_id, body.user_id, body.name, body.read_only, body.expiry_date)
    if token is None:
        return None
    if isinstance(body, AccessTokenChanged):
        return replace(token, **{name: _value(name, change["to"]) for name, change in body.changes.items()})
    if isinstance(body, AccessTokenRevoked):
        return replace(token, revoked=True)
    return token


class AccessTokens:
    """The use cases of access tokens."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def create(
        self, context: Context, user_id: int, name: str, *, read_only: bool = False, expiry_date: datetime | None = None
    ) -> tuple[int, str]:
        """The token's id and its value, which is told this once. Raises Invalid."""
        self._check_expiry(expiry_date)
        if len(self._log.lookup.access_tokens(user_id)) >= MAX_TOKENS:
            raise Invalid({"non_field_errors": [f"You have {MAX_TOKENS} access tokens already: revoke one first."]})
        value = PREFIX + secrets.token_hex(20)
        token_id = self._log.ids.one("access_token")
        body = AccessTokenCreated(token_id, user_id, name, read_only, expiry_date, digest(value))
        self._log.record(context, [body], {body.stream: 0})
        return token_id, value

    @decide_again
    def update(self, context: Context, token_id: int, changes: Mapping[str, Any]) -> None:
        """`changes`: new values for name, read_only and expiry_date, or some of them. Raises NotFound; Invalid for an
        end that is past already.
        """
        token, version = self._require(token_id)
        edited = {
            name: {"from": _plain(getattr(token, name)), "to": _plain(value)}
            for name, value in changes.items()
            if value != getattr(token, name)
        }
        if "expiry_date" in edited:
            self._check_expiry(changes["expiry_date"])
        if edited:
            body = AccessTokenChanged(token_id, token.user_id, edited)
            self._log.record(context, [body], {body.stream: version})

    @decide_again
    def revoke(self, context: Context, token_id: int) -> None:
        """Raises NotFound, for revoked ones too."""
        token, version = self._require(token_id)
        body = AccessTokenRevoked(token_id, token.user_id, token.name)
        self._log.record(context, [body], {body.stream: version})

    @decide_again
    def note_use(self, context: Context, token_id: int) -> None:
        """Records that a token is used, unless that was recorded less than `NOTED_EVERY` ago. Raises NotFound."""
        token, version = self._require(token_id)
        history = self._log.history(f"access_token-{token_id}")
        used = [event.meta.time for event in history if isinstance(event.body, AccessTokenUsed)]
        if not used or self._log.clock() - used[-1] >= NOTED_EVERY:
            body = AccessTokenUsed(token_id, token.user_id)
            self._log.record(context, [body], {body.stream: version})

    def _require(self, token_id: int) -> tuple[AccessToken, int]:
        token, version = self._log.load(f"access_token-{token_id}", evolve, None)
        if token is None or token.revoked:
            raise NotFound
        return token, version

    def _check_expiry(self, expiry_date: datetime | None) -> None:
        if expiry_date is not None and expiry_date <= self._log.clock():
            raise Invalid({"expiry_date": ["The expiry date must be in the future."]})


def _plain(value: Any) -> Any:
    """As an event's `changes` hold it."""
    return value.isoformat() if isinstance(value, datetime) else value


def _value(name: str, plain: Any) -> Any:
    return datetime.fromisoformat(plain) if name == "expiry_date" and plain is not None else plain
