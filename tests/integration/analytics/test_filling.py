"""The tables beside `events` get what `events` gets, once."""

from __future__ import annotations

from clickhouse_connect.driver.client import Client

from domain.events.job import JobCreated
from domain.events.label import LabelDeleted, LabelsAdded, LabelSpec, NamedLabel
from domain.events.project import ProjectDeleted, ProjectRestored
from domain.events.task import TaskDeleted
from domain.events.user import UserDeleted, UserProfileChanged, UserRegistered
from infra.clickhouse import schema
from infra.clickhouse.layout import Layout

from .given import EVENTS, NOON, ROWS
from .steps import contents, counts, insert, recorded, rows

VIEWS = (
    "working_time_daily", "throughput_daily", "job_completions", "jobs", "labels", "names", "request_runs",
    "exchange_durations", "queue_depth", "standing_objects", "label_distribution", "shapes_per_frame", "errors_daily",
    "users",
)  # fmt: skip


def test_an_insert_fills_every_table(clickhouse: Client, layout: Layout) -> None:
    insert(clickhouse, EVENTS, layout)
    assert counts(clickhouse, layout) == ROWS


def test_a_batch_that_is_sent_twice_fills_no_table_twice(clickhouse: Client, layout: Layout) -> None:
    insert(clickhouse, EVENTS, layout)
    insert(clickhouse, EVENTS, layout)
    assert counts(clickhouse, layout) == ROWS


def test_a_batch_that_got_no_further_than_events_fills_the_others_when_it_is_sent_again(
    clickhouse: Client, layout: Layout
) -> None:
    fill = next(text for text in schema.statements(layout) if "fill_working_time" in text)
    clickhouse.command(f"DROP VIEW {layout.database}.fill_working_time SYNC")
    insert(clickhouse, EVENTS, layout)
    clickhouse.command(fill)
    insert(clickhouse, EVENTS, layout)
    assert counts(clickhouse, layout) == ROWS


def test_views_count_a_row_once_that_is_there_twice(clickhouse: Client, layout: Layout) -> None:
    def answers() -> dict[str, list[tuple[object, ...]]]:
        return {view: contents(clickhouse, layout, view) for view in VIEWS}

    for name in schema.tables(layout):
        never = "ALTER TABLE {}.{} MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1"
        clickhouse.command(never.format(layout.database, name))
    insert(clickhouse, EVENTS, layout)
    once = answers()
    assert all(once.values())
    insert(clickhouse, EVENTS, layout, token="another")
    assert counts(clickhouse, layout) == {name: 2 * number for name, number in ROWS.items()}
    assert answers() == once


def test_deleting_from_a_position_on_deletes_it_everywhere(clickhouse: Client, layout: Layout) -> None:
    insert(clickhouse, EVENTS, layout)
    schema.delete(clickhouse, layout, "position > {position:UInt64}", {"position": 3})
    assert counts(clickhouse, layout) == {
        **dict.fromkeys(ROWS, 0),
        "events": 3,
        "annotation_objects": 2,
        "job_changes": 1,
        "name_changes": 1,
    }
    insert(clickhouse, EVENTS[3:], layout, token="again")
    assert counts(clickhouse, layout) == ROWS


def test_a_table_can_be_filled_again_from_events(clickhouse: Client, layout: Layout) -> None:
    insert(clickhouse, EVENTS, layout)
    for name in schema.tables(layout)[1:]:
        before = contents(clickhouse, layout, name)
        clickhouse.command(f"ALTER TABLE {layout.database}.{name} DELETE WHERE 1", settings={"mutations_sync": 2})
        schema.refill_derived(clickhouse, layout, name)
        assert contents(clickhouse, layout, name) == before, name


def test_what_an_insert_left_in_events_alone_is_completed(clickhouse: Client, layout: Layout) -> None:
    insert(clickhouse, EVENTS[:3], layout)
    for name in schema.tables(layout)[1:]:
        clickhouse.command(f"DROP VIEW {layout.database}.fill_{name} SYNC")
    insert(clickhouse, EVENTS[3:], layout, token="killed on the way")
    left = counts(clickhouse, layout)
    assert left["events"] == ROWS["events"]
    assert left["working_time"] == 0
    schema.complete(clickhouse, layout, 3)
    assert counts(clickhouse, layout) == ROWS
    schema.complete(clickhouse, layout)
    assert counts(clickhouse, layout) == ROWS


def test_only_a_range_can_be_filled_again(clickhouse: Client, layout: Layout) -> None:
    insert(clickhouse, EVENTS, layout)
    clickhouse.command(f"TRUNCATE TABLE {layout.database}.job_changes SYNC")
    schema.refill_derived(clickhouse, layout, "job_changes", 2, 7)
    assert rows(clickhouse, f"SELECT position FROM {layout.database}.job_changes") == [(7,)]


def test_a_table_that_is_new_beside_old_events_gets_them_all(clickhouse: Client, layout: Layout) -> None:
    insert(clickhouse, EVENTS, layout)
    for name in schema.tables(layout)[1:]:
        clickhouse.command(f"DROP VIEW {layout.database}.fill_{name} SYNC")
        clickhouse.command(f"DROP TABLE {layout.database}.{name} SYNC")
    schema.migrate(clickhouse, layout)
    assert counts(clickhouse, layout) == ROWS


def test_a_task_that_goes_with_more_jobs_than_rows_takes_them_all_along(clickhouse: Client, layout: Layout) -> None:
    jobs = [JobCreated(n, 7, None, n, "annotation", 0, 9, None, "annotation", "new", None) for n in (1, 65_000, 70_000)]
    gone = TaskDeleted(7, None, "many", list(range(1, 70_001)), [])
    insert(clickhouse, recorded([*((n, job) for n, job in enumerate(jobs)), (9, gone)], NOON), layout)
    statement = f"SELECT job_id, deleted FROM {layout.database}.jobs WHERE job_id IN (1, 65000, 70000) ORDER BY job_id"
    assert rows(clickhouse, statement) == [(1, True), (65_000, True), (70_000, True)]
    assert rows(clickhouse, f"SELECT count() FROM {layout.database}.jobs WHERE deleted") == [(70_000,)]


def test_labels_go_and_come_back_with_their_project(clickhouse: Client, layout: Layout) -> None:
    ear = LabelSpec(id=2, name="ear", color="#fff", type="points", attributes=[])
    cat = LabelSpec(id=1, name="cat", color="#fff", type="skeleton", attributes=[], sublabels=[ear], svg="")
    dog = LabelSpec(id=3, name="dog", color="#fff", type="any", attributes=[])
    standing = [NamedLabel(id=1, name="cat"), NamedLabel(id=2, name="ear")]
    events = recorded(
        [
            (0, LabelsAdded(4, None, [cat, dog])),
            (1, LabelDeleted(4, None, 3, "dog", [])),
            (2, ProjectDeleted(4, "zoo", [], standing)),
            (3, ProjectRestored(4, "zoo", 3, standing)),
        ],
        NOON,
    )
    statement = f"SELECT label, deleted FROM {layout.database}.labels ORDER BY label_id"
    insert(clickhouse, events[:3], layout, "gone")
    assert rows(clickhouse, statement) == [("cat", True), ("ear", True), ("dog", True)]
    insert(clickhouse, events[3:], layout, "back")
    assert rows(clickhouse, statement) == [("cat", False), ("ear", False), ("dog", True)]


def test_users_have_the_name_and_the_address_that_they_gave_last(clickhouse: Client, layout: Layout) -> None:
    bodies = [
        UserRegistered(1, "ann", "ann@example.org", "", "", True, ""),
        UserRegistered(2, "bob", "", "", "", False, ""),
        UserRegistered(3, "eve", "eve@example.org", "", "", False, ""),
        UserProfileChanged(1, {"email": {"from": "ann@example.org", "to": "ann@example.com"}}),
        UserProfileChanged(1, {"first_name": {"from": "", "to": "Ann"}}),
        UserProfileChanged(3, {"email": {"from": "eve@example.org", "to": ""}}),
        UserDeleted(3, "eve"),
    ]
    insert(clickhouse, recorded(list(enumerate(bodies)), NOON), layout)
    assert rows(clickhouse, f"SELECT * FROM {layout.database}.users ORDER BY user_id") == [
        (1, "ann", "ann@example.com", False),
        (2, "bob", "", False),
        (3, "eve", "", True),
    ]


def test_events_that_are_made_anew_fill_the_tables_beside_them(clickhouse: Client, layout: Layout) -> None:
    clickhouse.command(f"DROP TABLE {layout.database}.events SYNC")
    schema.migrate(clickhouse, layout)
    insert(clickhouse, EVENTS, layout)
    assert counts(clickhouse, layout) == ROWS
