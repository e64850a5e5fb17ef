"""Access tokens that were not revoked."""

from __future__ import annotations

from domain.event import Event
from domain.events.access_token import AccessTokenChanged, AccessTokenCreated, AccessTokenRevoked, AccessTokenUsed
from domain.events.user import UserDeleted
from projections.changes import Changes, Table
from projections.projection import Projection

ACCESS_TOKENS = Table("access_tokens", groups=("user_id",))

projection = Projection("access_tokens", 1, (ACCESS_TOKENS,))


@projection.on(AccessTokenCreated)
def created(body: AccessTokenCreated, event: Event, changes: Changes) -> None:
    changes.insert(
        ACCESS_TOKENS,
        {
            "id": body.token_id,
            "user_id": body.user_id,
            "name": body.name,
            "read_only": body.read_only,
            "expiry_date": body.expiry_date,
            "value_hash": body.value_hash,
            "created_date": event.meta.time,
            "updated_date": event.meta.time,
        },
    )


@projection.on(AccessTokenChanged)
def changed(body: AccessTokenChanged, event: Event, changes: Changes) -> None:
    columns = {name: change["to"] for name, change in body.changes.items()}
    changes.update(ACCESS_TOKENS, body.token_id, **columns, updated_date=event.meta.time)


@projection.on(AccessTokenUsed)
def used(body: AccessTokenUsed, event: Event, changes: Changes) -> None:
    changes.update(ACCESS_TOKENS, body.token_id, last_used_date=event.meta.time)


@projection.on(AccessTokenRevoked)
def revoked(body: AccessTokenRevoked, _event: Event, changes: Changes) -> None:
    changes.delete(ACCESS_TOKENS, body.token_id)


@projection.on(UserDeleted)
def user_deleted(body: UserDeleted, _event: Event, changes: Changes) -> None:
    changes.delete_group(ACCESS_TOKENS, "user_id", body.user_id)
