"""Tasks in memory that tests export from and import into, and what becomes of their annotations on the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domain.annotation.document import KINDS, Document, Item
from domain.annotation.validation import normalize
from infra.formats.model import Attribute, Dataset, Drawn, Frame, Label, Labels, Part, Picture, Segment, Task
from infra.formats.registry import Write
from infra.formats.target import Frames, Target
from infra.formats.zips import ZipWriter

from ..annotation.drawing import LABELS as SPECS
from ..annotation.drawing import ROWS

TIME = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
SIZE = 41
"""Frames, as many as the strategies for documents draw on."""


def label(row: dict[str, Any], parent: str | None = None) -> Label:
    specs = [
        Attribute(a["id"], a["name"], a["mutable"], a["input_type"], a["default_value"], tuple(a["values"]))
        for a in row["attributes"]
    ]
    points = tuple(label(point, row["name"]) for point in row.get("sublabels", ()))
    return Label(row["id"], row["name"], "#aabbcc", row["type"], tuple(specs), "", parent, points)


LABELS = Labels(tuple(label(row) for row in ROWS))


def frames(size: int = SIZE, *, start: int = 0, step: int = 1) -> list[Frame]:
    return [Frame(n, start + n * step, f"street/{n:03}.jpg", 640, 480) for n in range(size)]


def task(task_id: int = 7, *, size: int = SIZE, mode: str = "annotation", subset: str = "", step: int = 1) -> Task:
    return Task(
        task_id, "cats & dogs", size, mode, 0, "", TIME, TIME, subset, 0, (size - 1) * step, "", step,
        segments=(Segment(3, 5, 0, size - 1),),
    )  # fmt: skip


def part(document: Document, of: Task | None = None, shown: Sequence[Frame] | None = None) -> Part:
    """A task that these annotations were drawn in."""
    by_frame: dict[int, Drawn] = defaultdict(lambda: Drawn(0, [], []))
    for index, kind in enumerate(("shapes", "tags"), 1):
        for item in document.get(kind, ()):
            number = item["frame"]
            by_frame[number] = found = by_frame[number]._replace(number=number)
            found[index].append(item)
    all_frames = frames() if shown is None else shown
    return Part(
        of or task(),
        lambda: iter(all_frames),
        lambda: iter([by_frame[number] for number in sorted(by_frame)]),
        lambda: list(document.get("tracks", ())),
        lambda: (
            Picture(frame.number, frame.name, frame.name.encode()) for frame in (frames() if shown is None else shown)
        ),
    )


def dataset(document: Document, **options: Any) -> Dataset:
    return Dataset("task", 7, LABELS, [part(document, **options)], TIME)


def target(size: int = SIZE, **options: Any) -> Target:
    return Target(LABELS, Frames(frames(size, **options)))


def normal(raw: dict[str, Any]) -> Document:
    return normalize(raw, SPECS, "put")


def written(folder: Path, write: Write, exported: Dataset, *, save_images: bool = False) -> Path:
    """The file that an export makes."""
    path = folder / "export.zip"
    with path.open("wb") as file:
        archive = ZipWriter(file)
        write(exported, archive, save_images=save_images)
        archive.close()
    return path


def comparable(document: Document, *kinds: str) -> dict[str, list[Item]]:
    """Without what no format keeps: ids, the order of what stands on one frame, more than two decimals."""
    return {kind: sorted((_plain(item) for item in document[kind]), key=repr) for kind in kinds or KINDS}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in sorted(value.items()) if key != "id"} | _pixels(value)
    if isinstance(value, list):
        values = [_plain(part) for part in value]
        return sorted(values, key=repr) if values and isinstance(values[0], dict) and "spec_id" in values[0] else values
    return round(float(value), 2) + 0.0 if isinstance(value, int | float) and not isinstance(value, bool) else value


def _pixels(item: Item) -> Item:
    """Masks are in whole pixels."""
    return {"points": [float(int(value)) for value in item["points"]]} if item.get("type") == "mask" else {}
