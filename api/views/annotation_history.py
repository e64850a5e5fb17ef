"""The history of annotations, as clients see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from domain.annotation.document import KINDS
from domain.annotation.timeline import Difference, Step
from domain.annotation_history import Change, Past
from domain.annotation_restoration import Restored
from domain.event import Metadata
from domain.saves import Save

Row = dict[str, Any]
NOUNS = {"tag": "tags", "shape": "shapes", "track": "tracks", "interval": "intervals"}
"""As they stand in paths → kind."""

SKIPPED = "left out, because their label is gone or somebody has used their id in another job"


def change(change: Change, of_task: bool) -> Row:
    """A save. `version` is what `?version=`, `diff` and `restore` take; of a task it is the position in the log.
    `restored_version` is the version of the job that the save brought back; the jobs of a task have one each.
    """
    save = change.save
    return {
        "version": save.last if of_task else save.version,
        "position": save.last,
        "job_ids": save.job_ids,
        **_circumstances(save),
        "types": save.types,
        "created": _counts(change.tally.created),
        "updated": _counts(change.tally.updated),
        "deleted": _counts(change.tally.deleted),
        "restored_version": None if of_task else change.restored,
    }


def step(step: Step) -> Row:
    """A step in the life of an object; `object` is null when it was deleted."""
    return {
        "version": step.event.originator_version,
        "position": step.event.position,
        **_circumstances(step.event.meta),
        "what": step.happening,
        "object": step.item,
    }


def difference(before: Past, after: Past, by_job: Sequence[Difference]) -> Row:
    """Objects as the jobs hold them, each with its id; `updated` shows both what it was and what it became."""

    def pairs(kind: str) -> list[Row]:
        return [{"before": old, "after": new} for each in by_job for old, new in each.updated[kind]]

    return {
        "from": before.version,
        "to": after.version,
        "created": {kind: [item for each in by_job for item in each.created[kind]] for kind in KINDS},
        "updated": {kind: pairs(kind) for kind in KINDS},
        "deleted": {kind: [item for each in by_job for item in each.deleted[kind]] for kind in KINDS},
    }


def restored(result: Restored) -> Row:
    return {
        "version": result.version,
        "restored_version": result.source,
        "created": _counts(result.tally.created),
        "updated": _counts(result.tally.updated),
        "deleted": _counts(result.tally.deleted),
        "skipped": result.skipped,
        "message": _message(result),
    }


def _message(result: Restored) -> str:
    left_out = f" {result.skipped} objects of it were {SKIPPED}." if result.skipped else ""
    if not result.recorded:
        return f"The annotations already are as they were in version {result.source}: nothing was recorded.{left_out}"
    return f"The annotations are as they were in version {result.source}.{left_out}"


def _circumstances(found: Save | Metadata) -> Row:
    return {
        "time": found.time,
        "user": None if found.actor is None else {"id": found.actor_id, "username": found.actor},
        "source": found.source,
        "user_agent": found.user_agent,
    }


def _counts(tally: Counter[str]) -> dict[str, int]:
    return {kind: tally[kind] for kind in KINDS}
