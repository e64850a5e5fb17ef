"""What position and version each event of a batch of saves gets, and which saves must not be written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain.errors import VersionConflict
from domain.event import NEXT_VERSION
from infra.eventlog.committer import Save
from infra.eventlog.mapper import PendingEvent


def number(batch: Sequence[Save], heads: dict[str | None, int]) -> list[PendingEvent]:
    """Give each event of each save its version and position. `heads`: stream → last version; None → last position.
    A save that expected another version gets its `error` and is left out; the others are not affected.
    """
    accepted: list[PendingEvent] = []
    position = heads[None]
    for save in batch:
        save.positions = []
        save.error = unexpected(save, heads)
        if save.error is None:
            for pending in save.events:
                event, position = pending.event, position + 1
                heads[event.originator_id] += 1
                event.originator_version, event.position = heads[event.originator_id], position
                save.positions.append(position)
            accepted.extend(save.events)
    return accepted


def unexpected(save: Save, heads: Mapping[str | None, int]) -> VersionConflict | None:
    """Why a save must not be written."""
    for stream, version in save.expect.items():
        if heads[stream] != version:
            return VersionConflict(stream, version, heads[stream])
    versions: dict[str, int] = {}
    for pending in save.events:
        stream = str(pending.originator_id)
        versions[stream] = versions.get(stream, heads[stream]) + 1
        if pending.originator_version not in (NEXT_VERSION, versions[stream]):
            return VersionConflict(stream, pending.originator_version - 1, versions[stream] - 1)
    return None
