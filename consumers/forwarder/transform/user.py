"""Users. CVAT has no scopes for logins and passwords; those are our own."""

from __future__ import annotations

from collections.abc import Iterator

from consumers.forwarder.transform.row import Row, described, field_updates, transforms
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


@transforms(UserRegistered)
def registered(body: UserRegistered) -> list[Row]:
    payload = {
        **described(body, "first_name", "last_name", "email"),
        "groups": ["admin" if body.is_admin else "user"],
        "is_staff": body.is_admin,
        "is_superuser": body.is_admin,
        "is_active": True,
        "has_analytics_access": body.is_admin,
    }
    return [Row("create:user", body.username, body.user_id, payload=payload)]


@transforms(UserProfileChanged)
def profile_changed(body: UserProfileChanged) -> Iterator[Row]:
    return field_updates("update:user", body.changes, {"user_id": body.user_id})


@transforms(UserRoleChanged)
def role_changed(body: UserRoleChanged) -> Iterator[Row]:
    """CVAT's name for it is `groups`."""
    changes = {"groups": {"from": body.previous_role, "to": body.role}, **body.changes}
    return field_updates("update:user", changes, {"user_id": body.user_id})


@transforms(UserDeactivated)
def deactivated(body: UserDeactivated) -> Iterator[Row]:
    return field_updates("update:user", {"is_active": {"from": True, "to": False}}, {"user_id": body.user_id})


@transforms(UserReactivated)
def reactivated(body: UserReactivated) -> Iterator[Row]:
    return field_updates("update:user", {"is_active": {"from": False, "to": True}}, {"user_id": body.user_id})


@transforms(UserDeleted)
def deleted(body: UserDeleted) -> Iterator[Row]:
    """The user, and each access token that ends with the account."""
    yield Row("delete:user", body.username, body.user_id)
    for token in body.access_tokens:
        yield Row("delete:accesstoken", obj_id=token["id"], payload={"name": token["name"]})


@transforms(UserPasswordChanged)
def password_changed(body: UserPasswordChanged) -> list[Row]:
    """That it changed, and whose it is; never what it was or is."""
    return [Row("update:user", "password", payload=described(body, "user_id"))]


@transforms(UserLoggedIn)
def logged_in(body: UserLoggedIn) -> list[Row]:
    return [Row("login:user", obj_id=body.user_id, payload=described(body, "login_id", "expires"))]


@transforms(UserLoggedOut)
def logged_out(body: UserLoggedOut) -> list[Row]:
    return [Row("logout:user", obj_id=body.user_id, payload=described(body, "login_id"))]
