"""Users. CVAT has no scopes for logins and passwords; those are our own."""

from __future__ import annotations

from consumers.forwarder.transform.row import Row, described, transforms
from domain.events.user import UserLoggedIn, UserLoggedOut, UserPasswordChanged, UserRegistered


@transforms(UserRegistered)
def registered(body: UserRegistered) -> list[Row]:
    payload = described(body, "username", "email", "first_name", "last_name", "is_admin")
    return [Row("create:user", body.username, body.user_id, payload=payload)]


@transforms(UserPasswordChanged)
def password_changed(body: UserPasswordChanged) -> list[Row]:
    """That it changed, and whose it is; never what it was or is."""
    return [Row("update:user", "password", body.user_id)]


@transforms(UserLoggedIn)
def logged_in(body: UserLoggedIn) -> list[Row]:
    return [Row("login:user", obj_id=body.user_id, payload=described(body, "login_id", "expires"))]


@transforms(UserLoggedOut)
def logged_out(body: UserLoggedOut) -> list[Row]:
    return [Row("logout:user", obj_id=body.user_id, payload=described(body, "login_id"))]
