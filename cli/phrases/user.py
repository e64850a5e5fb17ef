"""What happened to users, in words."""

from __future__ import annotations

from cli.phrases.words import edits, phrase
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


@phrase(UserRegistered)
def _(body: UserRegistered) -> str:
    return f"registered {'administrator' if body.is_admin else 'user'} {body.username}"


@phrase(UserProfileChanged)
def _(body: UserProfileChanged) -> str:
    return f"changed {edits(body.changes)} of user {body.user_id}"


@phrase(UserRoleChanged)
def _(body: UserRoleChanged) -> str:
    return f"changed the role of user {body.user_id} from “{body.previous_role}” to “{body.role}”"


@phrase(UserDeactivated)
def _(body: UserDeactivated) -> str:
    return f"locked out user {body.user_id}"


@phrase(UserReactivated)
def _(body: UserReactivated) -> str:
    return f"let user {body.user_id} in again"


@phrase(UserDeleted)
def _(body: UserDeleted) -> str:
    return f"deleted user {body.user_id} “{body.username}”"


@phrase(UserPasswordChanged)
def _(body: UserPasswordChanged) -> str:
    return f"changed the password of user {body.user_id}"


@phrase(UserLoggedIn)
def _(_body: UserLoggedIn) -> str:
    return "logged in"


@phrase(UserLoggedOut)
def _(_body: UserLoggedOut) -> str:
    return "logged out"
