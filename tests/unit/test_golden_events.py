"""Yesterday's bytes still read: one golden file per event type and version, with the bytes as the log stores them.

When this fails for an event whose shape you changed: raise its `version` in `@event_type`, register an `@upcaster` from
the version before, bring its body in `tests/unit/golden/examples.py` up to date, and write the new file with
`python -m tests.unit.golden.write`. Never change a file that is there.
"""

from __future__ import annotations

import types
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

import orjson
import pytest

import domain.events
from domain.event import body_type, body_types, make_body
from infra.eventlog.mapper import OrjsonTranscoder, body_fields

from .golden.examples import EXAMPLES, LIFTED

FOLDER = Path(__file__).parent / "golden"
VERSIONS = [(name, v) for name, cls in body_types().items() for v in range(1, cls.schema_version + 1)]


def golden(name: str, version: int) -> bytes:
    return (FOLDER / f"{name}.v{version}.json").read_bytes()


def test_every_version_of_every_type_has_a_golden_file_and_no_other() -> None:
    expected = {f"{name}.v{version}.json" for name, version in VERSIONS}
    assert {path.name for path in FOLDER.glob("*.json")} == expected


@pytest.mark.parametrize(("name", "version"), VERSIONS)
def test_yesterdays_bytes_decode_to_the_same_body(name: str, version: int) -> None:
    assert make_body(name, version, orjson.loads(golden(name, version))) == LIFTED.get((name, version), EXAMPLES[name])


@pytest.mark.parametrize("name", body_types())
def test_todays_bytes_are_the_golden_ones(name: str) -> None:
    encoded = OrjsonTranscoder().encode(body_fields(EXAMPLES[name]))
    assert encoded + b"\n" == golden(name, body_type(name).schema_version)


@pytest.mark.parametrize("name", body_types())
def test_a_change_of_shape_is_a_new_version(name: str) -> None:
    cls: Any = body_type(name)
    stored = orjson.loads(golden(name, cls.schema_version))
    assert list(stored) == [field.name for field in fields(cls)]
    hints = get_type_hints(cls, include_extras=False)
    for field, value in stored.items():
        assert conforms(value, hints[field]), f"{field} is no longer what it was"


def conforms(value: Any, kind: Any) -> bool:
    """Whether a value, as JSON gives it, is of the kind that a type hint says."""
    if kind is Any:
        return True
    if kind is datetime:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    if is_typeddict(kind):
        hints = get_type_hints(kind, include_extras=True)
        required = {name for name, hint in hints.items() if get_origin(hint) is not NotRequired}
        return value.keys() >= required and all(
            name in hints and conforms(part, hints[name]) for name, part in value.items()
        )
    if get_origin(kind) is NotRequired:
        return conforms(value, get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        return any(conforms(value, option) for option in get_args(kind))
    if get_origin(kind) is list:
        return isinstance(value, list) and all(conforms(part, get_args(kind)[0]) for part in value)
    if get_origin(kind) is dict:
        return isinstance(value, dict) and all(conforms(part, get_args(kind)[1]) for part in value.values())
    return type(value) is kind


@pytest.mark.parametrize(
    ("value", "kind", "fits"),
    [
        (1, int, True),
        (True, int, False),
        (1.5, int, False),
        (None, int | None, True),
        ("1", int | None, False),
        ([1, "a"], list[int], False),
        ({"a": [1]}, dict[str, list[int]], True),
        ({"a": ["1"]}, dict[str, list[int]], False),
        ("2026-11-20T12:30:15.123456+00:00", datetime, True),
        ({"id": 1, "name": "a"}, domain.events.label.AttributeSpec, False),
    ],
)
def test_the_check_of_kinds_tells_them_apart(value: Any, kind: Any, fits: bool) -> None:
    assert conforms(value, kind) is fits
