"""The rows that transforms make are those that the reference tells of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

import consumers.forwarder.transform  # noqa: F401  (registers every transform)
from consumers.forwarder.transform.row import Row, rows_of
from consumers.forwarder.transform.scopes import CLIENT, SCOPES, SERVER
from domain.event import Body, body_types, make_body
from domain.events.annotations import AnnotationsChanged
from domain.events.label import LabelsAdded
from domain.events.request import RequestQueued
from domain.telemetry import CLIENT_SCOPES

from .golden.examples import BODIES

GOLDEN = Path(__file__).parent / "golden"
DECLARED = {scope.name: scope for scope in SCOPES}
MORE: list[Body] = [
    LabelsAdded(None, 7, [{"id": 1, "name": "cat", "color": "#fff", "type": "any", "attributes": []}]),
    AnnotationsChanged(31, 7, None, {}, {}, {}),
    *(
        RequestQueued("action=x&target=task&target_id=7", action, action, "task", "dataset", 5, "ann", None, 7, None,
                      {"format": "COCO 1.0", "save_images": True})
        for action in ("import", "export")
    ),
    *(
        AnnotationsChanged(31, 7, None, created, updated, removed)
        for kind in ("tags", "shapes", "tracks", "intervals")
        for document in [{kind: [{"id": 1, "label_id": 3, "frame": 0, "start": 0, "type": "mask"}]}]
        for created, updated, removed in ((document, {}, {}), ({}, document, {}), ({}, {}, {kind: {"": [1]}}))
    ),
]  # fmt: skip


def made() -> Iterator[tuple[str, Row]]:
    """Type of the event → row, but for what clients and processes tell in their own words."""
    for body in [*BODIES, *MORE]:
        for row in rows_of(body):
            if body.type_name not in (CLIENT, SERVER) or row.scope in DECLARED:
                yield body.type_name, row


@pytest.mark.parametrize(("event", "row"), list(made()), ids=lambda value: getattr(value, "scope", value))
def test_a_row_is_what_the_reference_says(event: str, row: Row) -> None:
    scope = DECLARED[row.scope]
    assert event in scope.events
    told = {"obj_name": row.obj_name, "obj_id": row.obj_id, "obj_val": row.obj_val, "count": row.amount}
    assert [name for name, value in told.items() if value is not None and not getattr(scope, name)] == []
    payload = orjson.loads(row.payload) if isinstance(row.payload, str) else row.payload or {}
    if event not in (CLIENT, SERVER):
        assert set(payload) <= set(scope.payload)


def test_the_reference_tells_of_nothing_else() -> None:
    seen: dict[str, set[str]] = {}
    for event, row in made():
        payload = row.payload if isinstance(row.payload, dict) else {}
        seen.setdefault(row.scope, set()).update(payload, {f"by {event}"})
    free = {"create:cache_item", "read:cache_item"}
    assert set(DECLARED) - set(seen) <= free
    for name, scope in DECLARED.items():
        if name not in free | {"send:exception", "send:working_time"}:
            assert set(scope.payload) <= seen[name], name
            assert {f"by {event}" for event in scope.events} - seen[name] <= {
                "by AnnotationsRestored",
                "by AnnotationsReplaced",
                "by AnnotationsCleared",
            }, name


def test_every_event_gives_some_scope() -> None:
    assert {event for scope in SCOPES for event in scope.events} == set(body_types())


@pytest.mark.parametrize(
    ("name", "version", "number"),
    [
        ("AnnotationsChanged", 1, 6),
        ("AnnotationsCleared", 1, 2),
        ("AnnotationsReplaced", 1, 2),
        ("AnnotationsRestored", 1, 3),
        ("DataUploaded", 1, 1),
        ("JobDeleted", 1, 1),
        ("JobRestored", 1, 1),
        ("LabelDeleted", 1, 1),
        ("TaskDeleted", 1, 3),
        ("TaskDeleted", 2, 4),
        ("TaskRestored", 1, 3),
        ("TaskRestored", 2, 4),
        ("UserDeleted", 1, 1),
    ],
)
def test_an_event_of_earlier_days_gives_as_many_rows_as_then(name: str, version: int, number: int) -> None:
    """They lie in ClickHouse, each saying how many there are: some of them, sent anew, have to fit among the others."""
    stored = orjson.loads((GOLDEN / f"{name}.v{version}.json").read_bytes())
    assert len(rows_of(make_body(name, version, stored))) == number


def test_a_client_can_not_send_a_scope_of_the_server() -> None:
    assert CLIENT_SCOPES & set(DECLARED) == {"send:exception"}
