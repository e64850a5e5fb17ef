"""What analysts find: CVAT's table and scopes, no secrets, all of it."""

from __future__ import annotations

import random
import threading
from collections import Counter
from contextlib import closing

import orjson
from clickhouse_connect.driver.client import Client

from cli.bootstrap import System
from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.rows import COLUMNS
from consumers.forwarder.sinks.clickhouse import ClickHouseSink
from consumers.forwarder.sources.log import LogSource
from domain.event import SYSTEM, Actor, Context
from domain.events.project import ProjectCreated
from domain.task import NewTask
from infra.eventlog.reader import FETCH_BYTES
from infra.postgres.database import Database

from ...unit.domain import given
from ..conftest import MainJob
from .steps import LAYOUT, ME, TABLE, assert_exactly_once, forward, record, rows_of

CVAT_COLUMNS = [
    ("scope", "String"),
    ("obj_name", "Nullable(String)"),
    ("obj_id", "Nullable(UInt64)"),
    ("obj_val", "Nullable(String)"),
    ("source", "String"),
    ("timestamp", "DateTime64(3, 'Etc/UTC')"),
    ("count", "Nullable(UInt16)"),
    ("duration", "UInt32"),
    ("project_id", "Nullable(UInt64)"),
    ("task_id", "Nullable(UInt64)"),
    ("job_id", "Nullable(UInt64)"),
    ("user_id", "Nullable(UInt64)"),
    ("user_name", "Nullable(String)"),
    ("user_email", "Nullable(String)"),
    ("org_id", "Nullable(UInt64)"),
    ("org_slug", "Nullable(String)"),
    ("payload", "Nullable(String)"),
    ("access_token_id", "Nullable(UInt64)"),
    ("remote_addr", "Nullable(String)"),
]


def test_the_table_is_cvats_and_then_ours(log: Database, url: str, clickhouse: Client) -> None:
    forward(log, url)
    described = [(row[0], row[1]) for row in clickhouse.query(f"DESCRIBE TABLE {TABLE}").result_rows]
    assert described[:19] == CVAT_COLUMNS
    assert COLUMNS.items() <= dict(described).items()
    assert [name for name, _ in described[19:]] == [
        "position",
        "row",
        "rows",
        "stream",
        "version",
        "event_type",
        "schema_version",
        "correlation_id",
    ]


def test_migrating_again_changes_nothing(url: str, clickhouse: Client) -> None:
    with closing(ClickHouseSink(url, LAYOUT)) as sink:
        sink.migrate()
        before = clickhouse.query(f"SHOW CREATE TABLE {TABLE}").result_rows
        sink.migrate()
        assert clickhouse.query(f"SHOW CREATE TABLE {TABLE}").result_rows == before


def test_the_main_job_can_be_read_in_cvats_scopes(main_job: MainJob, url: str, clickhouse: Client) -> None:
    log = main_job.system.database
    forward(log, url)
    assert_exactly_once(log, clickhouse)
    scopes = clickhouse.query("SELECT groupArray(scope) FROM (SELECT scope FROM cvat.events)").result_rows[0][0]
    assert Counter(scopes) == {
        "create:user": 1,
        "login:user": 1,
        "create:task": 1,
        "create:label": 2,
        "upload:files": 1,
        "queue:request": 1,
        "start:request": 1,
        "upload:data": 1,
        "create:frames": 1,
        "split:jobs": 1,
        "create:job": 2,
        "finish:request": 1,
        "create:tags": 1,
        "create:shapes": 1,
        "update:job": 2,
    }
    assert rows_of(clickhouse, "obj_name, obj_val, job_id, user_name", "scope = 'update:job'") == [
        ("stage", "acceptance", main_job.job_ids[0], "admin"),
        ("state", "completed", main_job.job_ids[0], "admin"),
    ]
    assert rows_of(clickhouse, "obj_name, count, task_id", "scope = 'create:shapes'") == [
        ("rectangle", 2, main_job.task_id)
    ]
    ((payload,),) = rows_of(clickhouse, "payload", "scope = 'create:shapes'")
    ids = {row["id"] for row in log.query("SELECT id FROM annotation_objects WHERE kind = 'shapes'")}
    assert {shape["id"] for shape in orjson.loads(payload)["shapes"]} == ids
    assert orjson.loads(payload)["request"]["user_agent"] == "a test"
    times = rows_of(clickhouse, "toUnixTimestamp64Milli(timestamp)", "scope = 'create:task'")
    recorded = log.query_one(
        "SELECT floor(extract(epoch FROM time) * 1000)::bigint AS ms FROM log.events WHERE type = 'TaskCreated'"
    )
    assert recorded is not None
    assert times == [(recorded["ms"],)]


def test_no_secret_reaches_clickhouse(main_job: MainJob, url: str, clickhouse: Client) -> None:
    main_job.system.app.users.change_password(main_job.admin, 1, "another secret")
    forward(main_job.system.database, url)
    text = repr(clickhouse.query("SELECT * FROM cvat.events").result_rows)
    users = main_job.system.database.query("SELECT password_hash FROM users")
    logged = main_job.system.database.query(
        "SELECT convert_from(state, 'UTF8') AS state FROM log.events WHERE type LIKE 'User%'"
    )
    secrets = [value for row in logged for key, value in orjson.loads(row["state"]).items() if key.endswith("_hash")]
    assert {row["password_hash"] for row in users} <= set(secrets)
    assert len(secrets) == 4
    assert [secret for secret in secrets if secret in text] == []


def test_an_update_of_fields_a_deletion_and_a_project(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    user_id = system.app.users.register(Context(SYSTEM), "ann", "correct horse")
    me = Context(Actor(user_id, "ann", "ann@x", organization_id=4, organization="lab"), access_token_id=12)
    task_id = system.app.tasks.create(me, NewTask("cats", [{"name": "cat"}]))
    system.app.record(me, [given.job(31, task_id), given.job(32, task_id)])
    system.app.tasks.update(me, task_id, {"name": "dogs", "assignee_id": user_id})
    system.app.tasks.delete(me, task_id)
    system.app.record(me, [ProjectCreated(9, "zoo", user_id, None, "", 4, None, None)])
    forward(log, url)
    changes = rows_of(
        clickhouse,
        "obj_name, obj_id, obj_val, JSONExtractRaw(assumeNotNull(payload), 'old_value')",
        "scope = 'update:task'",
    )
    assert sorted(changes) == [("assignee", user_id, "ann", "null"), ("name", None, "dogs", '"cats"')]
    assert rows_of(clickhouse, "scope, task_id, job_id", "scope LIKE 'delete:%'") == [
        ("delete:task", task_id, None),
        ("delete:label", task_id, None),
        ("delete:job", task_id, 31),
        ("delete:job", task_id, 32),
    ]
    assert rows_of(
        clickhouse, "obj_name, project_id, user_email, org_id, org_slug, access_token_id", "scope = 'create:project'"
    ) == [("zoo", 9, "ann@x", 4, "lab", 12)]


def test_the_source_fetches_huge_events_a_few_at_a_time(system: System, log: Database) -> None:
    name = random.randbytes(FETCH_BYTES * 2 // 3).hex()  # compressed, two thirds of what is fetched at once
    for project_id in range(4):
        system.app.record(ME, [ProjectCreated(project_id, name, None, None, "", None, None, None)])
    record(system, 10)
    with log.connect() as connection:
        source = LogSource(connection, Checkpoint(connection), threading.Event())
        polls = [[delivery.position for delivery in source.poll(0)] for _ in range(5)]
    assert polls == [[1], [2], [3], list(range(4, 15)), []]
