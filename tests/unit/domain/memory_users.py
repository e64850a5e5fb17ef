"""The questions about users, answered by definition: one event after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.errors import NotFound
from domain.event import Body, Event
from domain.events.access_token import AccessTokenChanged, AccessTokenCreated, AccessTokenRevoked, NamedToken
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
from domain.ports import Account, OpenLogin


class NaiveUsers:
    """Folds the whole log for each question."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = events

    def username(self, user_id: int) -> str | None:
        account = self._accounts().get(user_id)
        return account.username if account else None

    def username_taken(self, username: str) -> bool:
        return username.lower() in {account.username.lower() for account in self._accounts().values()}

    def gives_a_taken_name(self, body: Body) -> bool:
        """Whether the event gives somebody the name of somebody else."""
        match body:
            case UserRegistered():
                name = body.username
            case UserProfileChanged(changes={"username": {"to": name}}):
                pass
            case _:
                return False
        others = [account for account in self._accounts().values() if account.user_id != body.user_id]
        return name.lower() in {account.username.lower() for account in others}

    def email_taken(self, email: str) -> bool:
        return email.lower() in {account.email.lower() for account in self._accounts().values()}

    def account(self, user_id: int) -> Account:
        if user_id not in self._accounts():
            raise NotFound
        return self._accounts()[user_id]

    def other_active_admin(self, user_id: int) -> dict[str, int]:
        for account in self._accounts().values():
            if account.role == "admin" and account.is_active and account.user_id != user_id:
                return dict(account.versions)
        return {}

    def login(self, login_id: int) -> OpenLogin | None:
        logins: dict[int, UserLoggedIn] = {}
        for body in (event.body for event in self._events):
            match body:
                case UserLoggedIn():
                    logins[body.login_id] = body
                case UserLoggedOut():
                    logins.pop(body.login_id, None)
                case UserPasswordChanged() | UserDeactivated() | UserDeleted():
                    logins = {key: login for key, login in logins.items() if login.user_id != body.user_id}
        found = logins.get(login_id)
        return OpenLogin(login_id, found.cookie_hash, found.token_hash, found.expires) if found else None

    def access_tokens(self, user_id: int) -> list[NamedToken]:
        tokens: dict[int, NamedToken] = {}
        for body in (event.body for event in self._events):
            match body:
                case AccessTokenCreated(user_id=owner_id) if owner_id == user_id:
                    tokens[body.token_id] = NamedToken(id=body.token_id, name=body.name)
                case AccessTokenChanged() if body.token_id in tokens and "name" in body.changes:
                    tokens[body.token_id]["name"] = body.changes["name"]["to"]
                case AccessTokenRevoked():
                    tokens.pop(body.token_id, None)
                case UserDeleted(user_id=owner_id) if owner_id == user_id:
                    tokens.clear()
        return [tokens[token_id] for token_id in sorted(tokens)]

    def _accounts(self) -> dict[int, Account]:
        streams = [event.originator_id for event in self._events]
        fields: dict[int, dict[str, Any]] = {}
        for body in (event.body for event in self._events):
            _evolve(fields, body)
        return {
            user_id: Account(**each, user_id=user_id, version=streams.count(f"user-{user_id}"))
            for user_id, each in fields.items()
        }


def _evolve(accounts: dict[int, dict[str, Any]], body: Body) -> None:
    match body:
        case UserRegistered():
            accounts[body.user_id] = {
                "username": body.username,
                "email": body.email,
                "first_name": body.first_name,
                "last_name": body.last_name,
                "role": "admin" if body.is_admin else "user",
                "is_active": True,
                "password_hash": body.password_hash,
            }
        case UserProfileChanged():
            accounts[body.user_id].update({name: change["to"] for name, change in body.changes.items()})
        case UserRoleChanged():
            accounts[body.user_id]["role"] = body.role
        case UserDeactivated() | UserReactivated():
            accounts[body.user_id]["is_active"] = isinstance(body, UserReactivated)
        case UserPasswordChanged():
            accounts[body.user_id]["password_hash"] = body.password_hash
        case UserDeleted():
            del accounts[body.user_id]
