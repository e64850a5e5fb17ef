"""Who is calling: Token, Bearer (an access token, or the token of a login), session cookie with CSRF check, or Basic,
in CVAT's order.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from api.client_address import client_address
from api.identities import Identity
from api.login_attempts import network
from api.observed import observation
from api.organizations import organization_context
from api.services import Services, services
from domain.access_token import NOTED_EVERY, PREFIX
from domain.errors import Forbidden, NotAuthenticated, NotFound, Unavailable
from domain.event import Actor, Context
from domain.user import digest
from projections.named_queries import queries

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_NAME = 254
"""Letters of a name that nobody has, as far as they are counted."""


def caller(request: Request) -> Context:
    """The context of the request's commands. Raises NotAuthenticated, Forbidden; NotFound: unknown organization."""
    return _context(request, _required(identify(request), None))


def identify(request: Request) -> Identity | None:
    """None for a request without credentials. Raises NotAuthenticated for wrong ones, Forbidden for lack of a CSRF
    token and for changes with a read-only access token, TooMany.
    """
    identity = _identity(request)
    if identity is not None:
        observation(request.scope).actor = identity.actor
    return identity


def _identity(request: Request) -> Identity | None:
    parts = services(request)
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    scheme, value = scheme.lower(), value.strip()
    if scheme == "bearer" and value.startswith(PREFIX):
        return _check_read_only(request, _required(_access_token(request, value), "Invalid token."))
    if scheme in ("token", "bearer"):
        return _required(_login(parts, "token_hash", value), "Invalid token.")
    cookie = request.cookies.get("sessionid")
    if cookie:
        identity = _login(parts, "cookie_hash", cookie)
        if identity is not None:
            _check_csrf(request)
            return identity
    if scheme == "basic":
        return _required(_basic(request, value), "Invalid username/password.")
    return None


def refuse_access_tokens(request: Request) -> Identity:
    """For what a script must not do in the name of its user. Raises Forbidden, and as `caller` does."""
    identity = _required(identify(request), None)
    if identity.access_token_id is not None:
        raise Forbidden("This can't be done with an access token.")
    return identity


def check_password(request: Request, username: str | None, email: str | None, password: str) -> Actor | None:
    """The user with this name (or, without one, this e-mail address) and password. Raises TooMany after too many wrong
    ones.
    """
    parts = services(request)
    name, field = ("user_by_name", username) if username else ("user_by_email", email)
    value = (field or "").replace("\0", "\ufffd")  # PostgreSQL's texts, so also names, never hold a null character
    row = parts.logins.query_one(queries("users")[name], {"value": value})
    account = f"user-{row['id']}" if row else f"unknown-{value[:MAX_NAME].lower()}"
    address = network(client_address(request, parts.settings.proxies))
    with parts.login_attempts.turn(account, address):
        # A hash is computed for unknown users too, so that the time taken doesn't tell who exists.
        stored = row["password_hash"] if row else parts.unknown_password_hash
        if parts.app.passwords.verify(stored, password) and row and row["is_active"]:
            parts.login_attempts.succeeded(account)
            return _actor(row)
        parts.login_attempts.failed(account, address)
        return None


def _required(identity: Identity | None, message: str | None) -> Identity:
    if identity is None:
        raise NotAuthenticated(message)
    return identity


def _login(parts: Services, column: str, secret: str) -> Identity | None:
    def find() -> Identity | None:
        row = parts.logins.query_one(queries("users")[f"login_by_{column}"], {"value": digest(secret)})
        return Identity(_actor(row), row["login_id"], row["expires"]) if row else None

    return _remembered(parts, f"{column}:{digest(secret)}", find)


def _access_token(request: Request, value: str) -> Identity | None:
    parts = services(request)

    def find() -> Identity | None:
        row = parts.logins.query_one(queries("access_tokens")["by_value_hash"], {"value": digest(value)})
        if row is None:
            return None
        found = Identity(_actor(row), None, row["expires"], row["token_id"], row["read_only"])
        if not _expired(found):
            _note_use(request, found, row["last_used_date"])
        return found

    return _remembered(parts, f"access_token:{digest(value)}", find)


def _remembered(parts: Services, key: str, find: Callable[[], Identity | None]) -> Identity | None:
    identity = parts.identities.get(key)
    if identity is None:
        forgotten = parts.identities.forgotten
        identity = find()
        if identity is None:
            return None
        parts.identities.put(key, identity, forgotten)
    return None if _expired(identity) else identity


def _expired(identity: Identity) -> bool:
    return identity.expires is not None and identity.expires <= datetime.now(UTC)


def _note_use(request: Request, identity: Identity, last: datetime | None) -> None:
    """At most once in a day, and only on a look-up: what a token is used for is not slowed down by it."""
    parts = services(request)
    due = last is None or datetime.now(UTC) - last >= NOTED_EVERY
    if due and identity.access_token_id is not None and parts.accounts is None:  # a copy of the past takes no notes
        # Reading goes on when nothing can be written, and the token may be revoked this very moment.
        with suppress(Unavailable, NotFound):
            context = own_context(request, identity.actor, identity.access_token_id)
            parts.app.access_tokens.note_use(context, identity.access_token_id)


def _basic(request: Request, value: str) -> Identity | None:
    try:
        username, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:  # no Base64, or no UTF-8
        return None
    actor = check_password(request, username, None, password)
    return Identity(actor) if actor else None


def _check_read_only(request: Request, identity: Identity) -> Identity:
    observation(request.scope).actor = identity.actor  # whose token it is, even if it is refused
    if identity.read_only and request.method not in SAFE_METHODS:
        raise Forbidden("This access token is read-only.")
    return identity


def _check_csrf(request: Request) -> None:
    if request.method in SAFE_METHODS:
        return
    sent = request.headers.get("x-csrftoken", "")
    if not sent or not hmac.compare_digest(sent.encode(), request.cookies.get("csrftoken", "").encode()):
        raise Forbidden("CSRF Failed: CSRF token missing or incorrect.")


def _actor(row: dict[str, Any]) -> Actor:
    return Actor(row["id"], row["username"], row["email"], row["is_admin"])


def _context(request: Request, identity: Identity) -> Context:
    actor = identity.actor
    organization = organization_context(request)
    if organization.id is not None:
        actor = replace(actor, organization_id=organization.id, organization=organization.slug)
        observation(request.scope).actor = actor
    return Context(
        actor,
        source="api",
        correlation_id=request.state.request_id,
        user_agent=user_agent(request),
        once=getattr(request.state, "once", None),
        access_token_id=identity.access_token_id,
    )


def own_context(request: Request, actor: Actor, access_token_id: int | None = None) -> Context:
    """For what concerns the caller's own account, whatever organization the request is for."""
    return Context(
        actor,
        correlation_id=getattr(request.state, "request_id", None),
        user_agent=user_agent(request),
        access_token_id=access_token_id,
    )


def user_agent(request: Request) -> str | None:
    """What the client calls itself, within bounds."""
    return request.headers.get("user-agent", "")[:200] or None
