"""Who is calling: Token, Bearer, session cookie with CSRF check, or Basic, in CVAT's order."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from api.identities import Identity
from api.organizations import organization_context
from api.services import Services, services
from domain.errors import Forbidden, NotAuthenticated
from domain.event import Actor, Context
from domain.user import digest
from projections.named_queries import queries

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def caller(request: Request) -> Context:
    """The context of the request's commands. Raises NotAuthenticated, Forbidden; NotFound: unknown organization."""
    identity = identify(request)
    if identity is None:
        raise NotAuthenticated
    return _context(request, identity)


def identify(request: Request) -> Identity | None:
    """None for a request without credentials. Raises NotAuthenticated for wrong ones, Forbidden for lack of a CSRF
    token.
    """
    parts = services(request)
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() in ("token", "bearer"):
        return _required(_login(parts, "token_hash", value.strip()), "Invalid token.")
    cookie = request.cookies.get("sessionid")
    if cookie:
        identity = _login(parts, "cookie_hash", cookie)
        if identity is not None:
            _check_csrf(request)
            return identity
    if scheme.lower() == "basic":
        return _required(_basic(parts, value.strip()), "Invalid username/password.")
    return None


def check_password(parts: Services, username: str | None, email: str | None, password: str) -> Actor | None:
    """The user with this name (or, without one, this e-mail address) and password."""
    name, field = ("user_by_name", username) if username else ("user_by_email", email)
    value = (field or "").replace("\0", "\ufffd")  # PostgreSQL's texts, so also names, never hold a null character
    row = parts.logins.query_one(queries("users")[name], {"value": value})
    # A hash is computed for unknown users too, so that the time taken doesn't tell who exists.
    stored = row["password_hash"] if row else parts.unknown_password_hash
    right = parts.app.passwords.verify(stored, password)
    return _actor(row) if row and right and row["is_active"] else None


def _required(identity: Identity | None, message: str) -> Identity:
    if identity is None:
        raise NotAuthenticated(message)
    return identity


def _login(parts: Services, column: str, secret: str) -> Identity | None:
    key = f"{column}:{digest(secret)}"
    identity = parts.identities.get(key)
    if identity is None:
        forgotten = parts.identities.forgotten
        row = parts.logins.query_one(queries("users")[f"login_by_{column}"], {"value": digest(secret)})
        if row is None:
            return None
        identity = Identity(_actor(row), row["login_id"], row["expires"])
        parts.identities.put(key, identity, forgotten)
    expired = identity.expires is not None and identity.expires < datetime.now(UTC)
    return None if expired else identity


def _basic(parts: Services, value: str) -> Identity | None:
    try:
        username, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    actor = check_password(parts, username, None, password)
    return Identity(actor, None, None) if actor else None


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
    return Context(
        actor,
        source="api",
        correlation_id=request.state.request_id,
        user_agent=user_agent(request),
        once=getattr(request.state, "once", None),
    )


def user_agent(request: Request) -> str | None:
    """What the client calls itself, within bounds."""
    return request.headers.get("user-agent", "")[:200] or None
