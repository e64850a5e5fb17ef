"""The tables themselves refuse rows: what cannot be there is never taken for delivered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.client import Client

from cli.bootstrap import System
from consumers.forwarder import dead_letters
from consumers.forwarder.checkpoint import CONSUMER
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.mending.resending import resend
from infra.clickhouse import schema
from infra.postgres.database import Database

from ...waiting import wait_until
from .steps import (
    LAYOUT,
    SMALL,
    TABLE,
    assert_exactly_once,
    forwarded,
    forwarding,
    is_failing,
    means,
    record,
    rows_of,
)

REFUSED = (7, 8, 250)


@contextmanager
def until_dropped(clickhouse: Client, made: str, dropped: str) -> Iterator[None]:
    schema.migrate(clickhouse, LAYOUT)
    clickhouse.command(made)
    try:
        yield
    finally:
        clickhouse.command(dropped)


def letters(log: Database) -> list[DeadLetter]:
    with log.connect() as connection:
        return dead_letters.listed(connection, CONSUMER)


def test_events_that_violate_a_constraint_are_dead_letters_until_it_is_dropped(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    constraint = f"ALTER TABLE {TABLE} ADD CONSTRAINT odd CHECK position NOT IN {REFUSED}"
    with until_dropped(clickhouse, constraint, f"ALTER TABLE {TABLE} DROP CONSTRAINT odd"):
        record(system, 300)
        with forwarding(log, url) as forwarder:
            wait_until(lambda: forwarder.status.snapshot().dead == len(REFUSED))
            wait_until(lambda: forwarded(log))
        dead = letters(log)
        assert [(letter.position, letter.stage) for letter in dead] == [(each, "insert") for each in REFUSED]
        assert all("Constraint `odd`" in letter.error for letter in dead)
        assert not rows_of(clickhouse, "position", f"position IN {REFUSED}")
        again = resend(SMALL, means(log, url), dead)
        assert (again.delivered, len(again.dead)) == (0, len(REFUSED))
    done = resend(SMALL, means(log, url), letters(log))
    assert (done.delivered, done.dead, letters(log)) == (len(REFUSED), [], [])
    assert_exactly_once(log, clickhouse)


def test_nothing_is_acknowledged_while_a_view_behind_the_table_fails(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    failing = "CREATE MATERIALIZED VIEW cvat.failing ENGINE = MergeTree ORDER BY a AS"
    failing += f" SELECT position + throwIf(1) AS a FROM {TABLE}"
    record(system, 50)
    with (
        until_dropped(clickhouse, failing, "DROP TABLE IF EXISTS cvat.failing SYNC"),
        forwarding(log, url) as forwarder,
    ):
        wait_until(lambda: is_failing(forwarder, 1))
        assert not forwarded(log)
        clickhouse.command("DROP TABLE cvat.failing SYNC")
        wait_until(lambda: forwarded(log))
    assert letters(log) == []
    assert_exactly_once(log, clickhouse)
