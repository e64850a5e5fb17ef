"""The annotation document: its words, the labels that it may use, and the ids of its objects.

A document is plain JSON data, `{tags: [...], shapes: [...], tracks: [...], intervals: [...]}`, with CVAT's fields.
Lists of points are never changed in place, so copies of an object share them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Item = dict[str, Any]
"""One object of a document, or one part of it: a tag, shape, track, interval, element or keyframe."""

Document = dict[str, list[Item]]
"""The objects by kind. A normalized document has all four kinds; one that is read may lack some."""

Mode = Literal["put", "create", "update", "delete"]

KINDS = ("tags", "shapes", "tracks", "intervals")
SHAPE_TYPES = ("rectangle", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "skeleton")
SOURCES = ("auto", "semi-auto", "manual", "file", "consensus")
MAX_FRAME = 2**31 - 1
MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one document may hold. `faults`: how many errors are told before the rest goes unchecked."""

    objects: int = 1_000_000
    points: int = 1_000_000
    keyframes: int = 100_000
    elements: int = 1_000
    attributes: int = 1_000
    faults: int = 100


@dataclass(frozen=True, slots=True)
class AttributeSpec:
    """One attribute that a label offers."""

    id: int
    name: str
    mutable: bool
    input_type: str
    default: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LabelSpec:
    """One label. The mappings give the default by spec id: of all attributes, of the immutable, of the mutable."""

    id: int
    name: str
    type: str
    attributes: tuple[AttributeSpec, ...]
    sublabels: frozenset[int]
    defaults: Mapping[int, str]
    immutable: Mapping[int, str]
    mutable: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class LabelSpecs:
    """The labels and sublabels of a task, by id. Built once per task; a job's documents are checked against it."""

    by_id: Mapping[int, LabelSpec] = field(default_factory=dict)

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> LabelSpecs:
        """From labels as the API shows them: `{id, name, type, attributes: [{id, name, mutable, input_type,
        default_value, values}], sublabels: [label]}`. Sublabels may also come as rows of their own with `parent_id`.
        """
        flat = list(_flatten(rows, None))
        children: dict[int, set[int]] = {}
        for row, parent in flat:
            if parent is not None:
                children.setdefault(parent, set()).add(row["id"])
        return cls({row["id"]: _label(row, frozenset(children.get(row["id"], ()))) for row, _ in flat})


def count_new(document: Document) -> int:
    """How many ids `assign_ids` will take."""
    return sum(1 for item in _numbered(document) if item.get("id") is None)


def assign_ids(document: Document, ids: Iterator[int]) -> None:
    """Gives an id to each object, element and keyframe that has none, in place. `ids` must hold enough."""
    for item in _numbered(document):
        if item.get("id") is None:
            item["id"] = next(ids)


def highest_id(document: Document) -> int | None:
    """The highest id that an object, element or keyframe has; None when none has one."""
    return max((item["id"] for item in _numbered(document) if item.get("id") is not None), default=None)


def _numbered(document: Document) -> Iterator[Item]:
    """Everything that carries an id: parents before their parts, kinds in order."""
    yield from document.get("tags", ())
    for shape in document.get("shapes", ()):
        yield shape
        if shape["elements"]:
            yield from shape["elements"]
    for track in document.get("tracks", ()):
        for part in (track, *track["elements"]):
            yield part
            yield from part["shapes"]
    yield from document.get("intervals", ())


def _flatten(rows: Iterable[Mapping[str, Any]], parent: int | None) -> Iterator[tuple[Mapping[str, Any], int | None]]:
    for row in rows:
        yield row, row.get("parent_id") or parent
        yield from _flatten(row.get("sublabels") or (), row["id"])


def _label(row: Mapping[str, Any], sublabels: frozenset[int]) -> LabelSpec:
    attributes = tuple(_attribute(attribute) for attribute in row.get("attributes") or ())
    return LabelSpec(
        id=row["id"],
        name=row["name"],
        type=row.get("type") or "any",
        attributes=attributes,
        sublabels=sublabels,
        defaults={spec.id: spec.default for spec in attributes},
        immutable={spec.id: spec.default for spec in attributes if not spec.mutable},
        mutable={spec.id: spec.default for spec in attributes if spec.mutable},
    )


def _attribute(row: Mapping[str, Any]) -> AttributeSpec:
    return AttributeSpec(
        id=row["id"],
        name=row["name"],
        mutable=row["mutable"],
        input_type=row["input_type"],
        default=row.get("default_value") or "",
        values=tuple(row.get("values") or ()),
    )


def shape_type(kind: str, item: Item) -> str:
    """The type under which an object is counted: a track's is that of its first keyframe, or skeleton."""
    if kind == "shapes":
        return str(item.get("type") or "")
    if kind == "tracks":
        if item.get("elements"):
            return "skeleton"
        keyframes = item.get("shapes") or [{}]
        return str(keyframes[0].get("type") or "")
    return ""
