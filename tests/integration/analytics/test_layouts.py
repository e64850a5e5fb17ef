"""The tables as they are set to be: partitions, expiry, clusters."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from clickhouse_connect.driver.client import Client

from infra.clickhouse import schema
from infra.clickhouse.described import relations
from infra.clickhouse.layout import Layout, expired_before
from infra.clickhouse.standing import definitions, needless

from .given import EVENTS, NOON, ROWS, bodies
from .steps import counts, insert, recorded, rows

CLUSTER = Layout("cvat", cluster="annals", replicated=True, ttl_days=90)


def test_migrating_again_changes_nothing(clickhouse: Client, layout: Layout) -> None:
    insert(clickhouse, EVENTS, layout)
    made = f"SELECT name, create_table_query FROM system.tables WHERE database = '{layout.database}' ORDER BY name"
    before = rows(clickhouse, made)
    schema.migrate(clickhouse, layout)
    assert rows(clickhouse, made) == before
    assert counts(clickhouse, layout) == ROWS


def test_migrating_again_asks_for_nothing_and_puts_right_what_somebody_changed(
    clickhouse: Client, layout: Layout
) -> None:
    wanted, there = schema.statements(layout), definitions(clickhouse, layout.database)
    assert wanted[0].startswith("CREATE DATABASE")
    assert needless(clickhouse, wanted, there) == set(wanted[1:])
    clickhouse.command(f"CREATE OR REPLACE VIEW {layout.database}.names AS SELECT 1 AS id")
    clickhouse.command(f"DROP VIEW {layout.database}.labels")
    schema.migrate(clickhouse, layout)
    assert definitions(clickhouse, layout.database) == there


def test_a_ttl_is_set_changed_and_taken_away(clickhouse: Client, layout: Layout) -> None:
    def ttl() -> str:
        statement = "SELECT engine_full FROM system.tables WHERE name = 'events' AND database = {database:String}"
        ((engine,),) = clickhouse.query(statement, parameters={"database": layout.database}).result_rows
        return str(engine)

    assert "TTL" not in ttl()
    insert(clickhouse, EVENTS, layout)
    for days in (36_000, 30_000):
        schema.migrate(clickhouse, Layout(layout.database, ttl_days=days))
        assert f"TTL {Layout(ttl_days=days).ttl} SETTINGS" in ttl()
    assert counts(clickhouse, layout) == ROWS
    schema.migrate(clickhouse, layout)
    assert "TTL" not in ttl()


def test_expired_rows_leave_events_and_stay_in_the_tables_beside_it(clickhouse: Client, layout: Layout) -> None:
    then = datetime(2020, 1, 31, 12, tzinfo=UTC)
    insert(clickhouse, recorded(bodies(then), then), layout)
    schema.migrate(clickhouse, Layout(layout.database, ttl_days=30))
    clickhouse.command(f"OPTIMIZE TABLE {layout.database}.events FINAL")
    left = counts(clickhouse, layout)
    assert left.pop("events") == 0
    assert left == {name: number for name, number in ROWS.items() if name != "events"}


def test_what_was_recorded_since_a_ttls_bound_is_there(clickhouse: Client, layout: Layout) -> None:
    assert expired_before(layout, NOON) is None
    bound = expired_before(Layout(ttl_days=90), NOON)
    # The 90th day before is in August, all of which is kept.
    assert bound == datetime(2026, 8, 1, tzinfo=UTC)
    (kept,) = clickhouse.query(
        f"SELECT toDateTime('2026-08-01 00:00:00') AS timestamp, {Layout(ttl_days=90).ttl} > '2026-11-09',"
        f" (toStartOfMonth(timestamp - 1) + toIntervalMonth(1)) + toIntervalDay(90) > '2026-11-09'"
    ).result_rows
    assert kept[1:] == (1, 0)


@pytest.mark.parametrize("partition", ["month", "year", "none"])
def test_tables_are_partitioned_as_set(clickhouse: Client, partition: str) -> None:
    layout = Layout(f"test_{uuid.uuid4().hex}", partition_by=partition)  # type: ignore[arg-type]
    schema.migrate(clickhouse, layout)
    insert(clickhouse, EVENTS, layout)
    found = rows(
        clickhouse, f"SELECT DISTINCT partition FROM system.parts WHERE database = '{layout.database}' AND active"
    )
    assert found == [({"month": "202611", "year": "2026", "none": "tuple()"}[partition],)]
    clickhouse.command(f"DROP DATABASE {layout.database} SYNC")


@pytest.mark.parametrize("layout_of_cluster", [CLUSTER, Layout(cluster="{cluster}", partition_by="none")])
def test_the_engines_parser_takes_every_statement_for_a_cluster(clickhouse: Client, layout_of_cluster: Layout) -> None:
    """There is no cluster here: this is as much as can be seen without one."""
    told = schema.statements(layout_of_cluster)
    for statement in told:
        formatted = str(clickhouse.command("SELECT formatQuery({sql:String})", parameters={"sql": statement}))
        assert "ON CLUSTER" in formatted
    made = [statement for statement in told if statement.startswith("CREATE TABLE")]
    assert len(made) == len(ROWS)
    assert all(("ENGINE = Replicated" in statement) == layout_of_cluster.replicated for statement in made)


def test_replicas_need_a_cluster() -> None:
    with pytest.raises(ValueError, match="cluster"):
        Layout(replicated=True)


def test_the_reference_is_what_the_engine_says(clickhouse: Client, layout: Layout) -> None:
    listed = f"SELECT name, comment FROM system.tables WHERE database = '{layout.database}' AND name NOT LIKE 'fill_%'"
    described = relations()
    assert {(each.name, each.comment) for each in described} == set(rows(clickhouse, listed))
    for each in described:
        columns = clickhouse.query(f"DESCRIBE TABLE {layout.database}.{each.name}").result_rows
        assert [(column.name, column.type, column.comment) for column in each.columns] == [
            (row[0], row[1], row[4]) for row in columns
        ], each.name
        assert all(column.comment for column in each.columns)
