"""Without coordinates, the rows of the analytics are the same, and so is all else that is in an event."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.forwarder.rows import table_rows
from domain.event import Event, Metadata, body_types, make_body
from infra.eventlog import skimming
from infra.eventlog.skimming import DRAWN, MEMBER, skimmed

from .golden.examples import EXAMPLES

NASTY = ['a"points":[1.5],', ',"group":0,', "a,", "\\", '\\",', '"', ',"points":[', "}", "é\u2028", '"occluded":true']
texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=8))
numbers = st.one_of(st.integers(-5, 10**6), st.floats(allow_nan=False, allow_infinity=False))
coordinates = st.lists(numbers, max_size=6)
attributes = st.lists(st.fixed_dictionaries({"spec_id": st.integers(1, 9), "value": texts}), max_size=2)
types = st.sampled_from(["rectangle", "points", "polygon", "mask"])
look = {
    "occluded": st.booleans(), "outside": st.booleans(), "z_order": st.integers(-9, 9), "rotation": numbers,
    "source": texts, "group": st.one_of(st.none(), st.integers(0, 5)), "attributes": attributes, "points": coordinates,
}  # fmt: skip
shapes = st.fixed_dictionaries(
    {"id": st.integers(1, 10**6), "type": types, "frame": st.integers(0, 99), "label_id": st.integers(1, 9)},
    optional={**look, "elements": st.lists(st.fixed_dictionaries({"id": st.integers(1, 99), **look}), max_size=2)},
)
tracks = st.fixed_dictionaries(
    {"id": st.integers(1, 10**6), "frame": st.integers(0, 99), "label_id": st.integers(1, 9)},
    optional={"shapes": st.lists(shapes, max_size=3), "elements": st.lists(shapes, max_size=2)},
)
documents = st.fixed_dictionaries({}, optional={"shapes": st.lists(shapes, max_size=3), "tracks": st.lists(tracks)})
ids = st.lists(st.integers(1, 10**9), max_size=4)
removed = st.dictionaries(st.just("shapes"), st.dictionaries(types, ids))
bodies = st.fixed_dictionaries({"job_id": st.just(7), "created": documents, "updated": documents, "removed": removed})


def shuffled(value: Any, order: random.Random) -> Any:
    """With the members of every object in any order."""
    if isinstance(value, dict):
        members = list(value.items())
        order.shuffle(members)
        return {name: shuffled(each, order) for name, each in members}
    return [shuffled(each, order) for each in value] if isinstance(value, list) else value


def without_looks(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_looks(each) for name, each in value.items() if name not in look and name != "elements"}
    return [without_looks(each) for each in value] if isinstance(value, list) else value


def in_pieces(text: bytes, size: int) -> list[bytes]:
    return [text[start : start + size] for start in range(0, len(text), size)]


@given(bodies, st.integers(1, 200), st.randoms(use_true_random=False))
def test_rows_are_the_same(body: dict[str, Any], size: int, order: random.Random) -> None:
    text = orjson.dumps(shuffled({**body, "task_id": 1, "project_id": None, "tracks": []}, order))
    assert rows("AnnotationsChanged", skimmed(in_pieces(text, size))) == rows("AnnotationsChanged", text)


def rows(name: str, text: bytes) -> list[Any]:
    body = make_body(name, body_types()[name].schema_version, orjson.loads(text))
    return table_rows(Event(body.stream, 1, body, Metadata(datetime(2026, 3, 1, tzinfo=UTC), "api"), 9))


@given(bodies, st.integers(1, 200), st.randoms(use_true_random=False))
def test_nothing_else_goes(body: dict[str, Any], size: int, order: random.Random) -> None:
    text = orjson.dumps(shuffled(body, order))
    found = orjson.loads(skimmed(in_pieces(text, size)))
    assert found["removed"] == body["removed"]
    assert without_looks(found["created"]) == without_looks(body["created"])
    assert without_looks(found["updated"]) == without_looks(body["updated"])


@pytest.mark.parametrize("name", sorted(DRAWN))
def test_every_type_that_holds_annotations(name: str) -> None:
    text = orjson.dumps(EXAMPLES[name])
    assert rows(name, skimmed([text])) == rows(name, text)
    assert len(skimmed([text])) < len(text)


def test_coordinates_go_however_they_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = {"id": 1, "type": "mask", "frame": 0, "label_id": 3, "points": [n / 2 for n in range(10_000)]}
    text = orjson.dumps({"created": {"shapes": [shape, shape]}})
    whole = skimmed([text])
    assert b"points" not in whole
    longest = 0
    shortened = skimming._shortened

    def watched(begun: bytes) -> bytes:
        nonlocal longest
        longest = max(longest, len(begun))
        return shortened(begun)

    monkeypatch.setattr(skimming, "_shortened", watched)
    for size in (1, 2, 7, 100, 1_000):
        longest = 0
        assert skimmed(in_pieces(text, size)) == whole
        assert longest < size + 100


def test_a_member_is_known_by_its_end() -> None:
    assert MEMBER.sub(b"", b'{"id":1,"rotation":0.5,"z_order":1}') == b'{"id":1}'
    assert MEMBER.sub(b"", b'{"id":1,"rotation":0.') == b'{"id":1,"rotation":0.'
