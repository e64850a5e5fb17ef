"""Users and their open logins."""

from __future__ import annotations

from domain.event import Event
from domain.events.user import UserLoggedIn, UserLoggedOut, UserPasswordChanged, UserRegistered
from projections.changes import Changes, Table
from projections.projection import Projection

USERS = Table("users")
LOGINS = Table("logins", groups=("user_id",))

projection = Projection("users", 1, (USERS, LOGINS))


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
            "is_admin": body.is_admin,
            "is_active": True,
            "password_hash": body.password_hash,
            "date_joined": event.meta.time,
        },
    )


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
