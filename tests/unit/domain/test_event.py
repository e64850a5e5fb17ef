"""The registry of event types, the envelope, and old shapes lifted to today's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import FrozenInstanceError, dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

import domain.events  # noqa: F401  (registers every event type)
from domain import event as module
from domain.application import metadata
from domain.event import (
    NEXT_VERSION,
    SYSTEM,
    Actor,
    Body,
    Context,
    Event,
    Metadata,
    body_type,
    body_types,
    event_type,
    make_body,
    upcaster,
)

TIME = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test registers is gone after it."""
    monkeypatch.setattr(module, "_types", dict(module._types))
    monkeypatch.setattr(module, "_upcasters", dict(module._upcasters))
    return iter(())


@pytest.mark.parametrize("name", body_types())
def test_every_body_is_a_frozen_dataclass_with_a_stable_name_and_a_stream(name: str) -> None:
    cls: Any = body_type(name)
    assert cls.type_name == name == cls.__name__
    assert is_dataclass(cls)
    make: Any = cls
    body = make(**dict.fromkeys((field.name for field in fields(cls)), None))
    assert "-" in body.stream
    with pytest.raises(FrozenInstanceError):
        setattr(body, fields(cls)[0].name, 1)
    assert cls.__doc__
    assert not cls.__doc__.startswith(f"{name}("), "wants a docstring of its own"


@pytest.mark.parametrize("name", body_types())
def test_secret_and_time_fields_exist(name: str) -> None:
    cls: Any = body_type(name)
    names = {field.name for field in fields(cls)}
    assert {*cls.secret_fields, *cls.time_fields} <= names
    assert {field for field in names if "hash" in field} <= {*cls.secret_fields, "sha256"}


def test_an_unknown_name_or_version_is_told(registry: None) -> None:
    with pytest.raises(LookupError, match="NeverHeard"):
        body_type("NeverHeard")
    with pytest.raises(LookupError, match="JobAssigned version 2"):
        make_body("JobAssigned", 2, {})


def test_a_name_is_given_once(registry: None) -> None:
    with pytest.raises(ValueError, match="TaskCreated"):

        @event_type("TaskCreated")
        @dataclass(frozen=True)
        class Another(Body):
            pass


def test_old_shapes_are_lifted_step_by_step(registry: None) -> None:
    @event_type("ThingNamed", version=3)
    @dataclass(frozen=True)
    class ThingNamed(Body):
        first: str
        last: str
        when: datetime | None

    @upcaster("ThingNamed", 1)
    def with_time(fields: dict[str, Any]) -> dict[str, Any]:
        return fields | {"when": None}

    @upcaster("ThingNamed", 2)
    def with_two_names(fields: dict[str, Any]) -> dict[str, Any]:
        first, last = fields["name"].split()
        return {"first": first, "last": last, "when": fields["when"]}

    assert make_body("ThingNamed", 1, {"name": "Ann Bee"}) == ThingNamed("Ann", "Bee", None)
    assert make_body("ThingNamed", 2, {"name": "Ann Bee", "when": TIME.isoformat()}) == ThingNamed("Ann", "Bee", TIME)
    assert make_body("ThingNamed", 3, {"first": "A", "last": "B", "when": None}) == ThingNamed("A", "B", None)


def test_a_body_that_names_no_stream_is_told(registry: None) -> None:
    @event_type("Homeless")
    @dataclass(frozen=True)
    class Homeless(Body):
        pass

    with pytest.raises(TypeError, match="Homeless"):
        _ = Homeless().stream


def test_an_event_has_one_id_for_ever() -> None:
    body = make_body("UploadStarted", 1, {"task_id": 7})
    event = Event(body.stream, 3, body, Metadata(TIME, "api"))
    assert event.id == "data-7@3"
    assert NEXT_VERSION == 0, "which no event ever has"


def test_metadata_says_who_through_what_and_what_it_follows_from() -> None:
    actor = Actor(1, "ann", "a@example.org", organization_id=4, organization="zoo")
    context = Context(actor, "worker", "request-1", "task-7@1", "cvat_sdk/2.80.0", access_token_id=12)
    assert metadata(context, TIME) == Metadata(
        TIME, "worker", 1, "ann", 4, "zoo", "request-1", "task-7@1", "cvat_sdk/2.80.0", None, 12, "a@example.org"
    )
    assert metadata(Context(SYSTEM), TIME) == Metadata(TIME, "api")
