"""Rows that expire: what was not acknowledged is sent, however old; and a comparison knows what may be gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from clickhouse_connect.driver.client import Client

from cli.bootstrap import System
from consumers.forwarder import dead_letters
from consumers.forwarder.checkpoint import CONSUMER, Checkpoint
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.forwarder import Forwarder
from consumers.forwarder.means import expected
from consumers.forwarder.mending import by_hand, recovery
from consumers.forwarder.proof.check import Reconciliation, compare
from consumers.forwarder.proof.contents import Discrepancy, discrepancies
from consumers.forwarder.proof.inventory import Expected
from consumers.forwarder.reconciler import Reconciler
from consumers.forwarder.rows import table_rows
from consumers.forwarder.sinks.clickhouse import ClickHouseSink
from domain.events.telemetry import ClientEventsReported
from infra.clickhouse import schema
from infra.clickhouse.schema import Layout
from infra.postgres.database import Database

from ...waiting import wait_until
from .steps import LAYOUT, ME, SMALL, cut, delete, empty_tables, forward, forwarded, head, means, record, route, running

SHORT = Layout(ttl_days=1)
"""Last month goes two days into this one, at the latest; this month stays."""
OLD, NEW = 60, 40
"""Events of long ago, then of today."""


def month_in(time: timedelta) -> int:
    return (datetime.now(UTC) + time).month


@pytest.fixture
def days(system: System, log: Database) -> None:
    wait_until(lambda: month_in(timedelta()) == month_in(timedelta(minutes=2)), 180)  # or all would be of last month
    record(system, OLD + NEW)
    with log.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE log.events SET time = time - interval '400 days' WHERE position <= %s", (OLD,))


@pytest.fixture
def emptied(clickhouse: Client) -> Iterator[None]:
    """The table has no TTL afterwards."""
    yield
    schema.migrate(clickhouse, LAYOUT)


def expiring(log: Database, url: str) -> None:
    """Forwards into a table whose rows expire, and lets them."""
    with running(Forwarder(route(), replace(means(log, url), layout=SHORT))) as forwarder:
        wait_until(lambda: forwarder.status.snapshot().state == "forwarding" and forwarded(log))


def expire(clickhouse: Client) -> None:
    clickhouse.command("OPTIMIZE TABLE cvat.events FINAL")


def compared(log: Database, clickhouse: Client) -> Reconciliation:
    with log.connect() as connection:
        return compare(connection, clickhouse, SHORT, expected(connection, clickhouse, SMALL, SHORT), head(log))


def different(log: Database, clickhouse: Client) -> list[Discrepancy]:
    with log.connect() as connection:
        wanted = expected(connection, clickhouse, SMALL, SHORT)
        return list(discrepancies(connection, clickhouse, "cvat", table_rows, wanted, head(log)))


def positions(clickhouse: Client, table: str) -> list[int]:
    rows = clickhouse.query(f"SELECT DISTINCT position FROM cvat.{table} ORDER BY position").result_rows
    return [position for (position,) in rows]


pytestmark = pytest.mark.usefixtures("days", "emptied")


def test_what_was_never_forwarded_is_though_its_rows_expire_at_once(
    log: Database, url: str, clickhouse: Client
) -> None:
    expiring(log, url)
    expire(clickhouse)
    assert positions(clickhouse, "events") == list(range(OLD + 1, OLD + NEW + 1))
    assert positions(clickhouse, "job_changes") == list(range(1, OLD + NEW + 1))


def test_clocks_that_do_not_go_alike_hide_nothing(
    log: Database, url: str, clickhouse: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with log.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE log.events SET time = now() WHERE position BETWEEN 10 AND 12")
        connection.execute("UPDATE log.events SET time = time - interval '400 days' WHERE position BETWEEN 71 AND 75")
    expiring(log, url)
    expire(clickhouse)
    found = compared(log, clickhouse)
    assert (found.equal, found.held, found.expired) == (True, NEW - 5 + 3, OLD - 3 + 5)
    with monkeypatch.context() as patched:
        rewinds: list[int] = []
        patched.setattr(recovery, "_rewind", lambda *args: rewinds.append(args[3]))
        expiring(log, url)
        assert rewinds == []
    delete(clickhouse, "position IN (11, 90)")
    found = compared(log, clickhouse)
    assert (found.first_wrong, found.missing) == (11, 2)
    expiring(log, url)
    assert compared(log, clickhouse).equal


def test_a_comparison_names_what_has_expired_and_a_start_does_not_miss_it(
    log: Database, url: str, clickhouse: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    expiring(log, url)
    expire(clickhouse)
    rewinds: list[int] = []
    monkeypatch.setattr(recovery, "_rewind", lambda *args: rewinds.append(args[3]))
    expiring(log, url)
    assert rewinds == []
    found = compared(log, clickhouse)
    assert found.equal
    assert (found.expected, found.held, found.expired, found.dead) == (NEW, NEW, OLD, 0)
    assert different(log, clickhouse) == []


def test_what_is_lost_before_its_time_is_found_and_mended(log: Database, url: str, clickhouse: Client) -> None:
    expiring(log, url)
    expire(clickhouse)
    delete(clickhouse, f"position > {OLD + 5} AND position <= {OLD + 10}")
    found = compared(log, clickhouse)
    assert (found.first_wrong, found.missing) == (OLD + 6, 5)
    assert different(log, clickhouse)[0] == Discrepancy(OLD + 6, None)
    mended = by_hand.mend(route(), replace(means(log, url), layout=SHORT))
    assert mended.events > 0
    assert compared(log, clickhouse).equal


def test_a_clickhouse_that_lost_everything_gets_what_it_keeps_for_ever_too(
    log: Database, url: str, clickhouse: Client
) -> None:
    expiring(log, url)
    empty_tables(clickhouse)
    assert compared(log, clickhouse).first_wrong == OLD + 1
    expiring(log, url)
    assert compared(log, clickhouse).equal
    assert positions(clickhouse, "job_changes") == list(range(1, OLD + NEW + 1))


def test_a_dead_letter_is_told_though_it_would_have_expired(log: Database, url: str, clickhouse: Client) -> None:
    expiring(log, url)
    expire(clickhouse)
    with log.connect() as connection:
        dead_letters.note(connection, CONSUMER, [DeadLetter.at(7, "transform", "a test")])
    found = compared(log, clickhouse)
    assert (found.dead, found.expired, found.first_wrong) == (1, OLD - 1, None)
    assert found.difference is not None
    assert "position 7 could not be passed on" in found.difference


def test_what_is_not_acknowledged_is_not_taken_for_expired(log: Database, url: str, clickhouse: Client) -> None:
    """The rows of the second half are there, as if it had been sent; of the first, nothing ever was."""
    schema.migrate(clickhouse, SHORT)
    with log.connect() as connection, closing(ClickHouseSink(url, SHORT)) as sink:
        sink.insert(cut(log, OLD, OLD + NEW), "a token")
        checkpoint = Checkpoint(connection)
        recovery.recover(connection, expected(connection, clickhouse, SMALL, SHORT), checkpoint, sink)
        assert checkpoint.progress.acknowledged == 0


def test_reports_of_last_month_may_be_gone_and_nothing_else_of_this_month(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    this_month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for time in (this_month - timedelta(hours=1), this_month):
        event = {"scope": "load:job", "timestamp": time.isoformat()}
        system.app.record(ME, [ClientEventsReported(1, time.date().isoformat(), [event], [], None)])
    forward(log, url)  # nothing goes by itself
    last = OLD + NEW
    delete(clickhouse, f"position = {last + 1}")
    assert compared(log, clickhouse).equal
    assert different(log, clickhouse) == []
    delete(clickhouse, f"position = {last + 2}")
    assert compared(log, clickhouse).first_wrong == last + 2
    assert different(log, clickhouse) == [Discrepancy(last + 2, None)]


WRONG = {
    "position = 9": ("DELETE", None),
    "position = 11 AND row = 1": ("DELETE", 11),
    "position = 12 AND row = 0": ("UPDATE event_type = 'JobDeleted'", 12),
}


@pytest.mark.parametrize("where", WRONG)
def test_what_may_have_expired_is_compared_while_it_is_there(
    where: str, log: Database, url: str, clickhouse: Client
) -> None:
    change, first = WRONG[where]
    forward(log, url)
    clickhouse.command(f"ALTER TABLE cvat.events {change} WHERE {where}", settings={"mutations_sync": 2})
    with log.connect() as connection:
        found = compare(connection, clickhouse, LAYOUT, Expected(floor=OLD), head(log))
    assert found.first_wrong == first
    assert found.expired == (first is None)


@pytest.mark.usefixtures("unmerged")
def test_what_may_have_expired_must_not_be_there_twice(log: Database, url: str, clickhouse: Client) -> None:
    forward(log, url)
    with log.connect() as connection, closing(ClickHouseSink(url, LAYOUT)) as sink:
        sink.insert(cut(log, 20, 30), "a token of nobody's")
        found = compare(connection, clickhouse, LAYOUT, Expected(floor=OLD), head(log))
    assert (found.first_wrong, found.doubled) == (21, 10)
    assert found.difference == "position 21 is in ClickHouse 2 times"


def test_the_comparison_that_goes_on_all_the_time_mends_what_is_lost_and_leaves_what_has_expired(
    log: Database, url: str, clickhouse: Client
) -> None:
    expiring(log, url)
    expire(clickhouse)
    delete(clickhouse, f"position > {OLD + 5}")
    reconciler = Reconciler(route(), replace(means(log, url), layout=SHORT), 60.0)
    first, second = reconciler.look(), reconciler.look()
    assert first is not None
    assert second is not None
    assert (first.first_wrong, first.missing) == (OLD + 6, NEW - 5)
    assert second.equal
    assert positions(clickhouse, "events") == list(range(OLD + 1, OLD + NEW + 1))
