"""Lists: who sees what, filters, search, sorting and pages (CVAT contract 1.5), and what hostile values do: nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.bootstrap import System, connect
from domain.errors import Invalid
from domain.event import Body
from domain.events.request import RequestStarted
from domain.events.task import TaskChanged
from projections import resources
from projections.listing import Resource, Wanted, find, find_one
from projections.resources import JOBS, LABELS, PROJECTS, REQUESTS, TASKS, USERS

from ..unit.domain import given as events
from .databases import new_database
from .histories import ME

EVERYTHING = {name: value for name, value in vars(resources).items() if isinstance(value, Resource)}
ANN, BOB, CID = 1, 2, 3


@pytest.fixture(scope="module")
def office(postgres: str) -> Iterator[System]:
    """Ann, Bob and Cid; a project of Ann's; tasks 1 to 4, with two jobs each. Shared: the tests only look at it."""
    with new_database(postgres) as url:
        system = connect(url)
        furnish(system)
        yield system
        system.close()


def furnish(system: System) -> None:
    people = [events.user(user_id, name) for user_id, name in ((ANN, "ann"), (BOB, "bob"), (CID, "cid"))]
    tasks: list[Body] = [
        events.task(1, name="Cats at night", owner_id=ANN, subset="Train"),
        events.task(2, name="day of cats", owner_id=BOB, assignee_id=ANN, subset="Test"),
        events.task(3, name="100% _dogs_", owner_id=BOB, subset="Train", organization_id=9),
        events.task(4, project_id=3, name="ducks", owner_id=BOB, subset=""),
    ]
    jobs = [
        events.job(task_id * 10 + number, task_id, project_id=3 if task_id == 4 else None)
        for task_id in (1, 2, 3, 4)
        for number in (1, 2)
    ]
    own = [events.labels(events.label(task, "cat"), task_id=task) for task in (1, 2, 3)]
    labels = events.labels(events.label(40, "lark"), events.label(41, "crow"), project_id=3)
    system.app.record(ME, [*people, events.project(3), *tasks, *jobs, *own, labels])
    system.app.jobs.update(ME, 31, assignee_id=CID, stage="acceptance", state="completed")
    system.app.record(ME, [events.queued("r1"), events.queued("r2", 4), RequestStarted("r2", "agent", 1)])


def ids(system: System, resource: Resource, **wanted: Any) -> list[Any]:
    return [row["id"] for row in find(system.database.query, resource, Wanted(**wanted))[1]]


def test_the_newest_come_first_labels_in_their_order(office: System) -> None:
    assert ids(office, TASKS) == [4, 3, 2, 1]
    assert ids(office, JOBS) == [42, 41, 32, 31, 22, 21, 12, 11]
    assert ids(office, USERS) == [3, 2, 1]
    assert ids(office, LABELS) == [1, 2, 3, 40, 41]
    assert ids(office, REQUESTS) == ["r2", "r1"]


@pytest.mark.parametrize(
    ("resource", "viewer", "seen"),
    [
        (TASKS, None, [4, 3, 2, 1]),
        (TASKS, ANN, [4, 2, 1]),
        (TASKS, BOB, [4, 3, 2]),
        (TASKS, CID, []),
        (JOBS, ANN, [42, 41, 22, 21, 12, 11]),
        (JOBS, CID, [31]),
        (PROJECTS, ANN, [3]),
        (PROJECTS, BOB, []),
        (REQUESTS, ANN, ["r2", "r1"]),
        (REQUESTS, BOB, []),
        (USERS, CID, [3, 2, 1]),
    ],
)
def test_people_see_what_they_have_a_part_in(office: System, resource: Resource, viewer: int, seen: list[Any]) -> None:
    assert ids(office, resource, viewer=viewer) == seen
    assert find(office.database.query, resource, Wanted(viewer=viewer, limit=1))[0] == len(seen)


def test_personal_is_what_belongs_to_no_organization(office: System) -> None:
    assert ids(office, TASKS, personal=True) == [4, 2, 1]
    assert ids(office, JOBS, personal=True, viewer=CID) == []


@pytest.mark.parametrize(
    ("resource", "filters", "found"),
    [
        (TASKS, {"subset": "Train"}, [3, 1]),
        (TASKS, {"subset": "train"}, []),
        (TASKS, {"owner": "bob", "subset": "Train"}, [3]),
        (TASKS, {"assignee": "ann"}, [2]),
        (TASKS, {"project_id": "3"}, [4]),
        (TASKS, {"project_name": "animals"}, [4]),
        (TASKS, {"name": "100% _dogs_"}, [3]),
        (TASKS, {"id": "2"}, [2]),
        (TASKS, {"id": "-2"}, []),
        (TASKS, {"status": "annotation"}, [4, 3, 2, 1]),
        (JOBS, {"task_id": "3"}, [32, 31]),
        (JOBS, {"stage": "acceptance"}, [31]),
        (JOBS, {"status": "completed"}, [31]),
        (JOBS, {"assignee": "cid"}, [31]),
        (JOBS, {"task_name": "ducks"}, [42, 41]),
        (LABELS, {"name": "crow"}, [41]),
        (LABELS, {"stream": "task-2"}, [2]),
        (USERS, {"username": "bob"}, [2]),
        (USERS, {"is_active": "true"}, [3, 2, 1]),
        (USERS, {"is_active": "0"}, []),
        (REQUESTS, {"status": "started"}, ["r2"]),
        (REQUESTS, {"task_id": "7"}, ["r1"]),
    ],
)
def test_filters_are_equalities_joined_by_and(
    office: System, resource: Resource, filters: dict[str, str], found: list[Any]
) -> None:
    assert ids(office, resource, filters=filters) == found


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("cats", [2, 1]),
        ("CATS", [2, 1]),
        ("night cats", [1]),
        ("cats ann", [2, 1]),
        ("cats ducks", []),
        ("animals", [4]),
        ("0% _d", [3]),
        ("%", [3]),
        ("_", [3]),
        ("", [4, 3, 2, 1]),
        ("   ", [4, 3, 2, 1]),
    ],
)
def test_search_finds_every_word_somewhere(office: System, search: str, found: list[int]) -> None:
    assert ids(office, TASKS, search=search) == found


def test_requests_are_not_searched(office: System) -> None:
    assert ids(office, REQUESTS, search="anything") == ["r2", "r1"]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("name", [3, 1, 2, 4]),
        ("-name", [4, 2, 1, 3]),
        ("subset", [4, 2, 1, 3]),
        ("subset,name", [4, 2, 3, 1]),
        ("subset,-name", [4, 2, 1, 3]),
        ("assignee", [2, 1, 3, 4]),
        ("-assignee", [1, 3, 4, 2]),
        ("id", [1, 2, 3, 4]),
        ("no_such_field,id", [1, 2, 3, 4]),
        ("id; DROP TABLE tasks", [4, 3, 2, 1]),
        (" -id , name", [4, 3, 2, 1]),
        (",,", [4, 3, 2, 1]),
    ],
)
def test_sorting_by_one_or_several_keys(office: System, sort: str, order: list[int]) -> None:
    """Unknown ones are passed over, nothing counts as more than everything, of equals the oldest comes first."""
    assert ids(office, TASKS, sort=sort) == order


def test_the_last_written_comes_first_by_updated_date(office: System) -> None:
    office.app.record(ME, [TaskChanged(2, None, {"bug_tracker": {"from": "", "to": "elsewhere"}})])
    assert ids(office, TASKS, sort="-updated_date")[0] == 2
    assert ids(office, TASKS, sort="updated_date")[-1] == 2


@pytest.mark.parametrize("size", [1, 3, 8, 100])
def test_pages_hold_everything_once(office: System, size: int) -> None:
    pages = [find(office.database.query, JOBS, Wanted(sort="stage", limit=size, offset=o)) for o in range(0, 9, size)]
    assert {total for total, _ in pages} == {8}
    assert sorted(row["id"] for _, rows in pages for row in rows) == sorted(ids(office, JOBS, limit=None))
    assert len(ids(office, JOBS, limit=None)) == 8


def test_one_is_found_by_its_key(office: System) -> None:
    query = office.database.query
    assert (find_one(query, TASKS, 3) or {})["name"] == "100% _dogs_"
    assert (find_one(query, USERS, "bob", "username") or {})["id"] == BOB
    assert (find_one(query, REQUESTS, "r1") or {})["status"] == "queued"
    for key in (99, 2**70, -1):
        assert find_one(query, TASKS, key) is None
    for text in ("x", "' OR ''='", "\0", ""):
        assert find_one(query, REQUESTS, text) is None


HOSTILE = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "'; DROP TABLE tasks; --",
            "\0",
            "a\0b",
            "%s",
            "%(viewer)s",
            "%%",
            "{}",
            "\\",
            "9" * 40,
            "-",
            "1e5",
            "NaN",
            "t",
        ]
    ),
)


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(sorted(EVERYTHING)), data=st.data(), value=HOSTILE, search=HOSTILE, sort=HOSTILE)
def test_hostile_values_are_values(
    office: System, name: str, data: st.DataObject, value: str, search: str, sort: str
) -> None:
    """An answer or a refusal, for whatever text; and what is found has the value indeed."""
    resource = EVERYTHING[name]
    field = data.draw(st.sampled_from(sorted(resource.fields)))
    refused: set[str] = set()
    total, rows = 0, list[dict[str, Any]]()
    try:
        wanted = Wanted(ANN, filters={field: value}, search=search, sort=sort)
        total, rows = find(office.database.query, resource, wanted)
    except Invalid as refusal:
        refused = set(refusal.detail)
    assert refused <= {field, "search"}
    assert total >= len(rows)
    if resource.fields[field].kind == "text":
        assert all(row[resource.fields[field].column] == value for row in rows)


def test_the_tables_are_still_there(office: System) -> None:
    for resource, text in ((TASKS, "'; DROP TABLE tasks; --"), (TASKS, "%(viewer)s")):
        assert ids(office, resource, filters={"name": text}, search=text, sort=text) == []
    assert len(ids(office, TASKS)) == 4
