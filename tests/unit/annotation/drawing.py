"""Labels, and documents as clients draw them: examples and hypothesis strategies."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from domain.annotation.document import SOURCES, LabelSpecs

CAR, TREE, PERSON, HEAD, FOOT = 1, 2, 3, 31, 32
COLOR, BLURRED, HIDDEN = 11, 12, 311


def attribute(spec_id: int, name: str, mutable: bool, default: str) -> dict[str, Any]:
    return {
        "id": spec_id,
        "name": name,
        "mutable": mutable,
        "input_type": "text",
        "default_value": default,
        "values": [default],
    }


ROWS: list[dict[str, Any]] = [
    {
        "id": CAR,
        "name": "car",
        "type": "any",
        "attributes": [attribute(COLOR, "color", False, "red"), attribute(BLURRED, "blurred", True, "false")],
    },
    {"id": TREE, "name": "tree", "type": "any", "attributes": []},
    {
        "id": PERSON,
        "name": "person",
        "type": "skeleton",
        "attributes": [],
        "sublabels": [
            {"id": HEAD, "name": "head", "type": "points", "attributes": [attribute(HIDDEN, "hidden", True, "no")]},
            {"id": FOOT, "name": "foot", "type": "points", "attributes": []},
        ],
    },
]
LABELS = LabelSpecs.from_rows(ROWS)


def rectangle(frame: int = 0, points: list[float] | None = None, **fields: Any) -> dict[str, Any]:
    return {"type": "rectangle", "frame": frame, "label_id": TREE, "points": points or [1, 2, 30.5, 40], **fields}


def keyframe(frame: int, points: list[float] | None = None, **fields: Any) -> dict[str, Any]:
    return {"type": "rectangle", "frame": frame, "points": points or [1, 2, 30.5, 40], **fields}


def track(*keyframes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"frame": keyframes[0]["frame"] if keyframes else 0, "label_id": TREE, "shapes": [*keyframes], **fields}


def skeleton(frame: int = 0, **fields: Any) -> dict[str, Any]:
    elements = [
        {"type": "points", "frame": frame, "label_id": label, "points": [float(label), 5.0]} for label in (HEAD, FOOT)
    ]
    return {"type": "skeleton", "frame": frame, "label_id": PERSON, "elements": elements, **fields}


numbers = st.one_of(st.integers(-1000, 1000), st.floats(-1000, 1000, allow_nan=False, width=32))
attributes = {
    CAR: st.lists(st.sampled_from([COLOR, BLURRED]), unique=True),
    TREE: st.just([]),
    HEAD: st.sampled_from([[], [HIDDEN]]),
    FOOT: st.just([]),
    PERSON: st.just([]),
}


def pairs(fewest: int) -> st.SearchStrategy[list[float]]:
    return st.integers(fewest, fewest + 3).flatmap(lambda n: st.lists(numbers, min_size=2 * n, max_size=2 * n))


POINTS = {
    "rectangle": st.lists(numbers, min_size=4, max_size=4),
    "ellipse": st.lists(numbers, min_size=4, max_size=4),
    "polygon": pairs(3),
    "polyline": pairs(2),
    "points": pairs(1),
    "cuboid": st.lists(numbers, min_size=16, max_size=16),
    "mask": st.sampled_from([[1, 2, 1, 10, 10, 11, 11], [0, 9, 0, 0, 2, 2], [4, 0, 0, 1.0, 1.0]]).map(list),
}


@st.composite
def geometries(draw: st.DrawFn, types: tuple[str, ...] = tuple(POINTS)) -> dict[str, Any]:
    shape_type = draw(st.sampled_from(types))
    flags = {
        "occluded": st.booleans(),
        "outside": st.booleans(),
        "z_order": st.integers(-3, 3),
        "rotation": st.one_of(st.integers(0, 360), st.floats(0, 360)),
    }
    chosen = draw(st.fixed_dictionaries({}, optional=flags))
    return {"type": shape_type, "points": draw(POINTS[shape_type]), **chosen}


@st.composite
def owned(draw: st.DrawFn, label: int, frames: st.SearchStrategy[int]) -> dict[str, Any]:
    """Frame, label and what may be left out."""
    values = [
        {"spec_id": spec, "value": draw(st.sampled_from(["", "true", "blue", "ä"]))} for spec in draw(attributes[label])
    ]
    optional = {
        "group": st.sampled_from([None, 0, 1, 2]),
        "source": st.sampled_from(SOURCES),
        "attributes": st.just(values),
    }
    return {"frame": draw(frames), "label_id": label, **draw(st.fixed_dictionaries({}, optional=optional))}


@st.composite
def shapes(draw: st.DrawFn, frames: st.SearchStrategy[int]) -> dict[str, Any]:
    scored = {} if draw(st.booleans()) else {"score": draw(st.sampled_from([0, 0.5, 1]))}
    if draw(st.integers(0, 5)):
        return {**draw(owned(draw(st.sampled_from([CAR, TREE])), frames)), **draw(geometries()), **scored}
    elements = [
        {**draw(owned(label, frames)), **draw(geometries(("points", "polygon")))}
        for label in draw(st.sampled_from([[HEAD], [HEAD, FOOT]]))
    ]
    return {**draw(owned(PERSON, frames)), "type": "skeleton", "points": [], "elements": elements, **scored}


@st.composite
def keyframes(
    draw: st.DrawFn, label: int, frames: st.SearchStrategy[int], types: tuple[str, ...]
) -> list[dict[str, Any]]:
    result = []
    for frame in draw(st.lists(frames, min_size=1, max_size=4)):
        mutable = [spec for spec in draw(attributes[label]) if spec != COLOR]
        values = [{"spec_id": spec, "value": draw(st.sampled_from(["a", "b"]))} for spec in mutable]
        result.append({"frame": frame, **draw(geometries(types)), "attributes": values})
    return result


@st.composite
def tracks(draw: st.DrawFn, frames: st.SearchStrategy[int]) -> dict[str, Any]:
    if draw(st.integers(0, 4)):
        types = draw(
            st.sampled_from([("rectangle",), ("polygon",), ("points", "polyline"), ("ellipse", "mask"), ("cuboid",)])
        )
        label = draw(st.sampled_from([CAR, TREE]))
        return {**_immutable(draw(owned(label, frames))), "shapes": draw(keyframes(label, frames, types))}
    elements = [
        {**_immutable(draw(owned(label, frames))), "shapes": draw(keyframes(label, frames, ("points",)))}
        for label in draw(st.sampled_from([[HEAD], [HEAD, FOOT]]))
    ]
    own = [{"frame": draw(frames), "type": "skeleton", "points": [], "outside": draw(st.booleans())}]
    return {**draw(owned(PERSON, frames)), "shapes": own, "elements": elements}


def _immutable(fields: dict[str, Any]) -> dict[str, Any]:
    values = [value for value in fields.get("attributes", []) if value["spec_id"] == COLOR]
    return {**fields, "attributes": values}


@st.composite
def intervals(draw: st.DrawFn, frames: st.SearchStrategy[int]) -> dict[str, Any]:
    fields = draw(owned(CAR, frames))
    start = fields.pop("frame")
    return {**fields, "start": start, "stop": draw(st.one_of(st.none(), st.integers(start, start + 9)))}


@st.composite
def documents(draw: st.DrawFn, frames: st.SearchStrategy[int] = st.integers(0, 40)) -> dict[str, Any]:
    """A valid document as a client might send it: fields left out, keyframes in disorder, integers among floats."""
    label = st.sampled_from([CAR, TREE])
    return {
        "version": 0,
        "tags": draw(st.lists(label.flatmap(lambda chosen: owned(chosen, frames)), max_size=3)),
        "shapes": draw(st.lists(shapes(frames), max_size=5)),
        "tracks": draw(st.lists(tracks(frames), max_size=3)),
        "intervals": draw(st.lists(intervals(frames), max_size=2)),
    }
