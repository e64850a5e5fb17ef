"""What happened to annotations, in words."""

from __future__ import annotations

from collections.abc import Mapping

from cli.phrases.words import counted, listed, phrase
from domain.events.annotations import AnnotationsChanged, AnnotationsCleared, AnnotationsReplaced, AnnotationsRestored

NAMES = {"tags": "tag", "shapes": "shape", "tracks": "track", "intervals": "interval"}


@phrase(AnnotationsChanged)
def _(body: AnnotationsChanged) -> str:
    return f"{_changes(body) or 'changed nothing'} in job {body.job_id}"


@phrase(AnnotationsReplaced)
def _(body: AnnotationsReplaced) -> str:
    created = {kind: len(objects) for kind, objects in body.created.items()}
    if not body.removed:
        return f"drew {_objects(created)} in job {body.job_id}"
    return f"replaced the {_objects(_counted(body.removed))} in job {body.job_id} by {_objects(created)}"


@phrase(AnnotationsCleared)
def _(body: AnnotationsCleared) -> str:
    return f"removed everything in job {body.job_id}: {_objects(_counted(body.removed))}"


@phrase(AnnotationsRestored)
def _(body: AnnotationsRestored) -> str:
    return f"restored version {body.version} of the annotations in job {body.job_id}: {_changes(body)}"


def _changes(body: AnnotationsChanged | AnnotationsRestored) -> str:
    removed = {kind: sum(map(len, types.values())) for kind, types in body.removed.items()}
    created = {kind: len(objects) for kind, objects in body.created.items()}
    updated = {kind: len(objects) for kind, objects in body.updated.items()}
    done = [("drew", created), ("redrew", updated), ("removed", removed)]
    return listed([f"{verb} {_objects(counts)}" for verb, counts in done if any(counts.values())])


def _counted(counts: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    return {kind: sum(types.values()) for kind, types in counts.items()}


def _objects(counts: Mapping[str, int]) -> str:
    return listed([counted(counts[kind], NAMES[kind]) for kind in NAMES if counts.get(kind)]) or "nothing"
