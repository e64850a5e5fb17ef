"""Access tokens. CVAT has no scope for their use; that is our own."""

from __future__ import annotations

from collections.abc import Iterator

from consumers.forwarder.transform.row import Row, described, field_updates, person, transforms
from domain.events.access_token import AccessTokenChanged, AccessTokenCreated, AccessTokenRevoked, AccessTokenUsed


@transforms(AccessTokenCreated)
def created(body: AccessTokenCreated) -> list[Row]:
    payload = {**described(body, "name", "expiry_date", "read_only"), "owner": person(body.user_id)}
    return [Row("create:accesstoken", obj_id=body.token_id, payload=payload)]


@transforms(AccessTokenChanged)
def changed(body: AccessTokenChanged) -> Iterator[Row]:
    return field_updates("update:accesstoken", body.changes, {"token_id": body.token_id})


@transforms(AccessTokenUsed)
def used(body: AccessTokenUsed) -> list[Row]:
    return [Row("use:accesstoken", obj_id=body.token_id)]


@transforms(AccessTokenRevoked)
def revoked(body: AccessTokenRevoked) -> list[Row]:
    return [Row("delete:accesstoken", obj_id=body.token_id, payload=described(body, "name"))]
