"""Labels and frames of tasks, as formats want them, from the projections."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from domain.errors import MediaError, NotFound
from infra.formats.model import Attribute, Frame, Label, Labels, step_of
from infra.postgres.snapshot import Snapshot
from projections.named_queries import queries

Row = dict[str, Any]
SQL = queries("datasets")


def task_row(reading: Snapshot, task_id: int) -> Row:
    """Raises NotFound for a task that there is not, MediaError for one without data."""
    for row in reading.query(SQL["task"], {"task_id": task_id}):
        if row["size"] is None:
            raise MediaError(f"Task {task_id} has no data yet")
        return row
    raise NotFound(f"Task {task_id} was deleted")


def job_row(reading: Snapshot, job_id: int) -> Row:
    """Raises NotFound."""
    for row in reading.query(SQL["job"], {"job_id": job_id}):
        return row
    raise NotFound(f"Job {job_id} was deleted")


def labels_of(reading: Snapshot, stream: str) -> Labels:
    """Those of a task or project."""
    return labels_from(label_rows(reading, stream))


def label_rows(reading: Snapshot, stream: str) -> list[Row]:
    """Those of a task or project, and the points of skeletons."""
    return reading.query(SQL["labels"], {"stream": stream})


def labels_from(rows: Sequence[Row]) -> Labels:
    points: dict[int, list[Row]] = {}
    for row in rows:
        points.setdefault(row["parent_id"], []).append(row)
    return Labels(tuple(_label(row, points) for row in points.get(None, ())))  # type: ignore[call-overload]


def honeypots_of(reading: Snapshot, task_id: int) -> set[int]:
    """Frames that only repeat others, to check annotators: what is drawn on them is no result."""
    return {row["frame"] for row in reading.query(SQL["honeypots"], {"task_id": task_id})}


def frames_of(reading: Snapshot, row: Row, numbers: Iterable[int]) -> Iterator[Frame]:
    """Frames of a task in order. `row`: the task's; `numbers`: ascending."""
    start, step = row["start_frame"], step_of(row["frame_filter"])
    if row["video"] is not None:
        size = row["video_width"], row["video_height"]
        for number in numbers:
            source = start + number * step
            yield Frame(number, source, f"frame_{source:06}", *size)
        return
    for picture in picture_rows(reading, row["id"], numbers):
        number = picture["number"]
        yield Frame(number, start + number * step, picture["name"], picture["width"], picture["height"])


def picture_rows(reading: Snapshot, task_id: int, numbers: Iterable[int]) -> Iterator[Row]:
    """The stored pictures of frames, in order."""
    wanted = list(numbers)
    if not wanted:
        return
    kept: Collection[int] = wanted if isinstance(numbers, range) else frozenset(wanted)
    params = {"task_id": task_id, "first": wanted[0], "last": wanted[-1]}
    for row in reading.stream(SQL["frames"], params):
        if row["number"] in kept:
            yield row


def _label(row: Row, points: dict[int, list[Row]], parent: str | None = None) -> Label:
    return Label(
        id=row["id"],
        name=row["name"],
        color=row["color"],
        type=row["type"],
        attributes=tuple(_attribute(attribute) for attribute in row["attributes"]),
        svg=row["svg"],
        parent=parent,
        sublabels=tuple(_label(point, points, row["name"]) for point in points.get(row["id"], ())),
    )


def _attribute(row: Row) -> Attribute:
    return Attribute(
        id=row["id"],
        name=row["name"],
        mutable=row["mutable"],
        input_type=row["input_type"],
        default=row["default_value"],
        values=tuple(row["values"]),
    )
