"""The tables beside `events` hold what `events` holds, whatever happened on the way."""

from __future__ import annotations

from contextlib import closing

import pytest
from clickhouse_connect.driver.client import Client

from cli.bootstrap import System
from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.mending import by_hand
from consumers.forwarder.sinks.clickhouse import ClickHouseSink
from infra.clickhouse import derived, schema
from infra.clickhouse.derived import Difference
from infra.postgres.database import Database

from .steps import LAYOUT, cut, delete, forward, means, record, route

CHANGES = f"SELECT count(), uniqExact(position, row) FROM {LAYOUT.database}.job_changes FINAL"
ROWS = f"SELECT count(), uniqExact(position, row) FROM {LAYOUT.database}.events WHERE scope = 'update:job'"


def assert_the_same(clickhouse: Client) -> None:
    assert clickhouse.query(CHANGES).result_rows == clickhouse.query(ROWS).result_rows


@pytest.mark.parametrize("reached", ["nothing", "events", "everything"])
def test_a_forwarder_that_was_killed_in_the_middle_of_an_insert(
    reached: str, system: System, log: Database, url: str, clickhouse: Client
) -> None:
    record(system, 100)
    forward(log, url)
    record(system, 100)
    with log.connect() as connection, closing(ClickHouseSink(url, LAYOUT)) as sink:
        checkpoint = Checkpoint(connection)
        checkpoint.load()
        token = checkpoint.announce(150)
        if reached == "events":
            clickhouse.command(f"DROP VIEW {LAYOUT.database}.fill_job_changes SYNC")
        if reached != "nothing":
            sink.insert(cut(log, 100, 150), token)
    for statement in schema.statements(LAYOUT):
        if "fill_job_changes" in statement:  # at once: a start would fill in what it sees that a view is missing for
            clickhouse.command(statement)
    forward(log, url)
    assert_the_same(clickhouse)


def test_rows_that_are_lost_and_sent_again(system: System, log: Database, url: str, clickhouse: Client) -> None:
    record(system, 100)
    forward(log, url)
    delete(clickhouse, "position BETWEEN 40 AND 45")
    forward(log, url)
    assert_the_same(clickhouse)


CHANGED = {
    "a cell": "ALTER TABLE cvat.job_changes UPDATE state = 'rejected' WHERE position = 41 SETTINGS mutations_sync = 2",
    "a row too many": "INSERT INTO cvat.job_changes SELECT * REPLACE (77 AS row) FROM cvat.job_changes"
    " WHERE position = 41",
    "a row of another event": "INSERT INTO cvat.job_changes SELECT * REPLACE (41 AS position)"
    " FROM (SELECT * FROM cvat.job_changes WHERE position = 60)",
    "a row too few": "ALTER TABLE cvat.job_changes DELETE WHERE position = 41 SETTINGS mutations_sync = 2",
}


@pytest.mark.parametrize("change", CHANGED)
def test_what_was_changed_by_hand_is_found_and_mended(
    change: str, system: System, log: Database, url: str, clickhouse: Client
) -> None:
    record(system, 100)
    forward(log, url)
    assert list(derived.differences(clickhouse, LAYOUT, 0, 100)) == []
    clickhouse.command(CHANGED[change])
    (found,) = derived.differences(clickhouse, LAYOUT, 0, 100)
    assert found == Difference("job_changes", 41, 41, 1)
    assert list(derived.differences(clickhouse, LAYOUT, 0, 100, except_for=[41])) == []
    assert by_hand.mend(route(), means(log, url)).events == 0
    assert list(derived.differences(clickhouse, LAYOUT, 0, 100)) == []
    assert_the_same(clickhouse)


def test_a_row_that_is_there_twice_is_no_difference(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    """Who reads these tables takes the last of each (FINAL)."""
    record(system, 100)
    forward(log, url)
    clickhouse.command("INSERT INTO cvat.job_changes SELECT * FROM cvat.job_changes")
    assert list(derived.differences(clickhouse, LAYOUT, 0, 100)) == []
