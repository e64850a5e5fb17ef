"""What people draw. Stream: `annotations-<job id>`, apart from the job's own so that neither waits for the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict

from domain.event import Body, event_type, upcaster

Document = dict[str, list[dict[str, Any]]]
"""`{"tags": […], "shapes": […], "tracks": […], "intervals": […]}` in CVAT's wire form, every object with its id.
An event leaves out the kinds that it does not touch."""

Removed = dict[str, dict[str, list[int]]]
"""kind → shape type ("" for tags and intervals) → ids of the objects removed."""

Counts = dict[str, dict[str, int]]
"""kind → shape type → how many objects there were."""


class TrackChange(TypedDict):
    """What became of a track. `visible`: by how many its visible shapes are more than before, that is, the frames of
    the job on which it shows; fewer are negative. `keyframes`: the ids of those of a track that was removed. What was
    before is as when the change was decided.
    """

    id: int
    visible: int
    keyframes: NotRequired[list[int]]


MAX_OBJECTS = 5_000
"""An event holds at most this many objects; a larger change is several events, appended together."""


class AnnotationsBody(Body):
    __slots__ = ()
    job_id: int

    @property
    def stream(self) -> str:
        return f"annotations-{self.job_id}"


@event_type("AnnotationsChanged", version=2)
@dataclass(frozen=True)
class AnnotationsChanged(AnnotationsBody):
    """Objects were added to a job, redrawn or removed; all others stand. An updated object is given whole. `tracks`:
    what became of each track among them.
    """

    job_id: int
    task_id: int
    project_id: int | None
    created: Document
    updated: Document
    removed: Removed
    tracks: list[TrackChange] = field(default_factory=list)


@event_type("AnnotationsReplaced", version=2)
@dataclass(frozen=True)
class AnnotationsReplaced(AnnotationsBody):
    """All annotations of a job (`removed`, as counted when it was decided) gave way to new ones (`created`; more may
    follow as `AnnotationsChanged`). `removed_ids`: those of the objects, of the kinds and types with at most
    `MAX_OBJECTS`; `tracks`: what became of each track among them and in `created`.
    """

    job_id: int
    task_id: int
    project_id: int | None
    created: Document
    removed: Counts
    removed_ids: Removed = field(default_factory=dict)
    tracks: list[TrackChange] = field(default_factory=list)


@event_type("AnnotationsCleared", version=2)
@dataclass(frozen=True)
class AnnotationsCleared(AnnotationsBody):
    """All annotations of a job were removed; `removed` counts them as when it was decided. The rest as for
    `AnnotationsReplaced`.
    """

    job_id: int
    task_id: int
    project_id: int | None
    removed: Counts
    removed_ids: Removed = field(default_factory=dict)
    tracks: list[TrackChange] = field(default_factory=list)


@event_type("AnnotationsRestored", version=2)
@dataclass(frozen=True)
class AnnotationsRestored(AnnotationsBody):
    """The annotations of a job went back to what they were at a `version` of theirs: objects came back under their ids,
    were redrawn as they had been, or were removed because they came later. An object is given whole, so that nobody
    has to look that version up.
    """

    job_id: int
    task_id: int
    project_id: int | None
    version: int
    created: Document
    updated: Document
    removed: Removed
    tracks: list[TrackChange] = field(default_factory=list)


@upcaster("AnnotationsChanged", 1)
@upcaster("AnnotationsRestored", 1)
def _with_tracks(fields: dict[str, Any]) -> dict[str, Any]:
    """Version 1 did not say what became of tracks."""
    return {**fields, "tracks": []}


@upcaster("AnnotationsReplaced", 1)
@upcaster("AnnotationsCleared", 1)
def _with_ids(fields: dict[str, Any]) -> dict[str, Any]:
    """Version 1 only counted what went."""
    return {**fields, "removed_ids": {}, "tracks": []}
