"""The events by which the annotations of a job change: cut to a size, and with what becomes of each track."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from domain.annotation.document import KINDS, Document
from domain.annotation.visibility import Shown, visible_shapes
from domain.event import Body
from domain.events.annotations import (
    MAX_OBJECTS,
    AnnotationsChanged,
    AnnotationsCleared,
    AnnotationsReplaced,
    Counts,
    Removed,
    TrackChange,
)
from domain.ports import JobPlace, Standing

Tracks = Mapping[int, Shown]
"""Track id → what shows of it before."""

NO_TRACKS: Tracks = MappingProxyType({})
NOTHING = Shown(0, [])


@dataclass(frozen=True)
class Everything:
    """What stands in a job and is to go. `ids`: of the kinds and types that have at most `MAX_OBJECTS`; `tracks`: those
    among them.
    """

    counts: Counts = field(default_factory=dict)
    ids: Removed = field(default_factory=dict)
    tracks: Tracks = field(default_factory=dict)


def split_document(document: Document, size: int = MAX_OBJECTS) -> Iterator[Document]:
    """Cuts a document into parts of at most `size` objects, kinds in order; an empty one gives nothing."""
    part: Document = {}
    room = size
    for kind in KINDS:
        objects = document.get(kind, [])
        start = 0
        while start < len(objects):
            part[kind] = objects[start : start + room]
            start += len(part[kind])
            room -= len(part[kind])
            if room == 0:
                yield part
                part, room = {}, size
    if part:
        yield part


def replaced(place: JobPlace, document: Document, removed: Everything) -> list[Body]:
    """The events of a PUT. One that finds nothing and stores nothing is none."""
    parts = split_document(document)
    first = next(parts, None)
    if first is None:
        return cleared(place, removed)
    tracks = [*gone(removed.ids, removed.tracks), *drawn(first, place.stop_frame)]
    ids = (place.job_id, place.task_id, place.project_id)
    begin = AnnotationsReplaced(*ids, first, removed.counts, removed.ids, tracks)
    return [begin, *(AnnotationsChanged(*ids, part, {}, {}, drawn(part, place.stop_frame)) for part in parts)]


def cleared(place: JobPlace, removed: Everything) -> list[Body]:
    """The events of a DELETE; none when there is nothing to remove."""
    if not removed.counts:
        return []
    ids = (place.job_id, place.task_id, place.project_id)
    return [AnnotationsCleared(*ids, removed.counts, removed.ids, gone(removed.ids, removed.tracks))]


def changed(
    place: JobPlace, created: Document, updated: Document, removed: Removed, before: Tracks = NO_TRACKS
) -> list[Body]:
    """The events of a PATCH. `before`: the tracks that it redraws or removes."""
    ids, stop_frame = (place.job_id, place.task_id, place.project_id), place.stop_frame
    bodies: list[Body] = []
    if removed:
        bodies.append(AnnotationsChanged(*ids, {}, {}, removed, gone(removed, before)))
    updates, additions = split_document(updated), split_document(created)
    bodies += [AnnotationsChanged(*ids, {}, part, {}, drawn(part, stop_frame, before)) for part in updates]
    bodies += [AnnotationsChanged(*ids, part, {}, {}, drawn(part, stop_frame)) for part in additions]
    return bodies


def removal(standing: Mapping[str, Mapping[int, Standing]], job_id: int) -> Removed:
    """What a delete really removes: those of the objects given that stand in this job, counted under their own type."""
    removed: Removed = {}
    for kind, objects in standing.items():
        for object_id, found in objects.items():
            if found.job_id == job_id:
                removed.setdefault(kind, {}).setdefault(found.type, []).append(object_id)
    return removed


def drawn(document: Document, stop_frame: int, before: Tracks = NO_TRACKS) -> list[TrackChange]:
    """What becomes of the tracks of a document in a job that ends at `stop_frame`."""
    return [
        TrackChange(
            id=track["id"], visible=visible_shapes(track, stop_frame) - before.get(track["id"], NOTHING).visible
        )
        for track in document.get("tracks", ())
    ]


def gone(removed: Removed, before: Tracks) -> list[TrackChange]:
    """What becomes of the tracks that are removed."""
    ids = (track_id for ids in removed.get("tracks", {}).values() for track_id in ids if track_id in before)
    return [
        TrackChange(id=track_id, visible=-before[track_id].visible, keyframes=before[track_id].keyframes)
        for track_id in ids
    ]
