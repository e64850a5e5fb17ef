"""Annotations: one row per kind and shape type, with the ids of the objects, as CVAT has it. Beside them, in the same
order, their labels and frames: what CVAT's rows don't tell, and analysts ask for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from consumers.forwarder.transform.row import Row, in_portions, transforms
from domain.annotation.document import KINDS, shape_type
from domain.events.annotations import (
    AnnotationsChanged,
    AnnotationsCleared,
    AnnotationsReplaced,
    AnnotationsRestored,
    Counts,
    Document,
    Removed,
    TrackChange,
)

Tracks = dict[int, TrackChange]
"""By id; empty for events of the days when they did not say what became of tracks."""


@transforms(AnnotationsChanged)
@transforms(AnnotationsRestored)
def changed(body: AnnotationsChanged | AnnotationsRestored) -> Iterator[Row]:
    tracks = _tracks(body.tracks)
    yield from _deleted(body.removed, tracks)
    yield from _written("create", body.created, tracks)
    yield from _written("update", body.updated, tracks)


@transforms(AnnotationsReplaced)
def replaced(body: AnnotationsReplaced) -> Iterator[Row]:
    tracks = _tracks(body.tracks)
    yield from _emptied(body.removed, body.removed_ids, tracks)
    yield from _written("create", body.created, tracks)


@transforms(AnnotationsCleared)
def cleared(body: AnnotationsCleared) -> Iterator[Row]:
    return _emptied(body.removed, body.removed_ids, _tracks(body.tracks))


def _written(verb: str, document: Document, tracks: Tracks) -> Iterator[Row]:
    for kind in KINDS:
        by_type: dict[str, list[dict[str, Any]]] = {}
        for item in document.get(kind, ()):
            by_type.setdefault(shape_type(kind, item), []).append(item)
        for type_name, items in by_type.items():
            for part in in_portions(items):
                payload = {
                    kind: [_drawn_track(item, tracks) for item in part] if kind == "tracks" else _ids(part),
                    "label_ids": [item["label_id"] for item in part],
                    "frames": [item["start" if kind == "intervals" else "frame"] for item in part],
                }
                yield Row(f"{verb}:{kind}", type_name or None, amount=len(part), payload=payload)


def _deleted(removed: Removed, tracks: Tracks) -> Iterator[Row]:
    for kind, by_type in removed.items():
        for type_name, ids in by_type.items():
            for part in in_portions(ids):
                gone = [_removed_track(number, tracks) if kind == "tracks" else {"id": number} for number in part]
                yield Row(f"delete:{kind}", type_name or None, amount=len(part), payload={kind: gone})


def _emptied(counts: Counts, removed: Removed, tracks: Tracks) -> Iterator[Row]:
    """All that a job held: by ids where the event has them."""
    for kind, by_type in counts.items():
        for type_name, number in by_type.items():
            ids = removed.get(kind, {}).get(type_name)
            if ids:
                yield from _deleted({kind: {type_name: ids}}, tracks)
            else:
                for part in in_portions(range(number)):
                    yield Row(f"delete:{kind}", type_name or None, amount=len(part))


def _ids(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": item["id"]} for item in items]


def _tracks(changes: Sequence[TrackChange]) -> Tracks:
    return {change["id"]: change for change in changes}


def _drawn_track(track: dict[str, Any], tracks: Tracks) -> dict[str, Any]:
    """Its keyframes as text: of a save of many tracks there may be hundreds of thousands."""
    keyframes = ",".join([f'{{"id":{keyframe["id"]}}}' for keyframe in track.get("shapes", ())])
    return {"id": track["id"], "shapes": orjson.Fragment(f"[{keyframes}]"), **_visible(tracks.get(track["id"]))}


def _removed_track(track_id: int, tracks: Tracks) -> dict[str, Any]:
    change = tracks.get(track_id)
    shapes = {} if change is None else {"shapes": [{"id": keyframe} for keyframe in change.get("keyframes", ())]}
    return {"id": track_id, **shapes, **_visible(change)}


def _visible(change: TrackChange | None) -> dict[str, int]:
    return {} if change is None else {"visible_shapes_count_diff": change["visible"]}
