"""What people draw. Stream: `annotations-<job id>`, apart from the job's own so that neither waits for the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domain.event import Body, event_type

Document = dict[str, list[dict[str, Any]]]
"""`{"tags": […], "shapes": […], "tracks": […], "intervals": […]}` in CVAT's wire form, every object with its id.
An event leaves out the kinds that it does not touch."""

Removed = dict[str, dict[str, list[int]]]
"""kind → shape type ("" for tags and intervals) → ids of the objects removed."""

Counts = dict[str, dict[str, int]]
"""kind → shape type → how many objects there were."""

MAX_OBJECTS = 5_000
"""An event holds at most this many objects; a larger change is several events, appended together."""


class AnnotationsBody(Body):
    __slots__ = ()
    job_id: int

    @property
    def stream(self) -> str:
        return f"annotations-{self.job_id}"


@event_type("AnnotationsChanged")
@dataclass(frozen=True)
class AnnotationsChanged(AnnotationsBody):
    """Objects were added to a job, redrawn or removed; all others stand. An updated object is given whole."""

    job_id: int
    task_id: int
    project_id: int | None
    created: Document
    updated: Document
    removed: Removed


@event_type("AnnotationsReplaced")
@dataclass(frozen=True)
class AnnotationsReplaced(AnnotationsBody):
    """All annotations of a job (`removed`, as counted when it was decided) gave way to new ones (`created`; more may
    follow as `AnnotationsChanged`).
    """

    job_id: int
    task_id: int
    project_id: int | None
    created: Document
    removed: Counts


@event_type("AnnotationsCleared")
@dataclass(frozen=True)
class AnnotationsCleared(AnnotationsBody):
    """All annotations of a job were removed; `removed` counts them as when it was decided."""

    job_id: int
    task_id: int
    project_id: int | None
    removed: Counts


@event_type("AnnotationsRestored")
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
