"""Users, also deleted ones, and open logins."""

from __future__ import annotations

from domain.event import Event
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
from projections.changes import Changes, Table
from projections.projection import Projection

USERS = Table("users")
LOGINS = Table("logins", groups=("user_id",))

projection = Projection("users", 2, (USERS, LOGINS))


@projection.on(UserRegistered)
def registered(body: UserRegistered, event: Event, changes: Changes) -> None:
    changes.insert(
        USERS,
        {
            "id": body.user_id,
            "username": body.username,
            "email": body.email,
            "first_name": body.first_name,
            "last_name": body.last_name,
            "role": "admin" if body.is_admin else "user",
            "is_active": True,
            "is_deleted": False,
            "password_hash": body.password_hash,
            "date_joined": event.meta.time,
        },
    )


@projection.on(UserProfileChanged)
def profile_changed(body: UserProfileChanged, _event: Event, changes: Changes) -> None:
    changes.update(USERS, body.user_id, **{name: change["to"] for name, change in body.changes.items()})


@projection.on(UserRoleChanged)
def role_changed(body: UserRoleChanged, _event: Event, changes: Changes) -> None:
    changes.update(USERS, body.user_id, role=body.role)


@projection.on(UserDeactivated)
def deactivated(body: UserDeactivated, _event: Event, changes: Changes) -> None:
    changes.update(USERS, body.user_id, is_active=False)
    changes.delete_group(LOGINS, "user_id", body.user_id)


@projection.on(UserReactivated)
def reactivated(body: UserReactivated, _event: Event, changes: Changes) -> None:
    changes.update(USERS, body.user_id, is_active=True)


@projection.on(UserDeleted)
def deleted(body: UserDeleted, _event: Event, changes: Changes) -> None:
    changes.update(USERS, body.user_id, is_active=False, is_deleted=True)
    changes.delete_group(LOGINS, "user_id", body.user_id)


@projection.on(UserPasswordChanged)
def password_changed(body: UserPasswordChanged, event: Event, changes: Changes) -> None:
    changes.update(USERS, body.user_id, password_hash=body.password_hash)
    changes.delete_group(LOGINS, "user_id", body.user_id)


@projection.on(UserLoggedIn)
def logged_in(body: UserLoggedIn, event: Event, changes: Changes) -> None:
    changes.update(USERS, body.user_id, last_login=event.meta.time)
    changes.insert(
        LOGINS,
        {
            "id": body.login_id,
            "user_id": body.user_id,
            "cookie_hash": body.cookie_hash,
            "token_hash": body.token_hash,
            "expires": body.expires,
        },
    )


@projection.on(UserLoggedOut)
def logged_out(body: UserLoggedOut, event: Event, changes: Changes) -> None:
    changes.delete(LOGINS, body.login_id)
