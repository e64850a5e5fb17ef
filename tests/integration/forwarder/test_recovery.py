"""What a start finds in ClickHouse is put right: batches in doubt, rows lost or doubled, logs restored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from clickhouse_connect.driver.client import Client

from cli.bootstrap import System
from consumers.forwarder import dead_letters
from consumers.forwarder.checkpoint import CONSUMER, Checkpoint
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.mending import recovery
from consumers.forwarder.sinks.clickhouse import ClickHouseSink
from domain.events.job import JobStateChanged
from infra.clickhouse.client import ClickHouseRefused
from infra.postgres.database import Database

from ...waiting import wait_until
from .steps import (
    LAYOUT,
    ME,
    TABLE,
    assert_exactly_once,
    compared,
    count,
    cut,
    delete,
    forward,
    forwarded,
    forwarding,
    record,
    route,
)


@pytest.fixture
def cut_off(system: System, log: Database, url: str) -> Iterator[tuple[ClickHouseSink, str]]:
    """100 events acknowledged, the next 50 announced under a token, and then the forwarder was gone."""
    record(system, 100)
    forward(log, url)
    record(system, 100)
    with log.connect() as connection, closing(ClickHouseSink(url, LAYOUT)) as sink:
        checkpoint = Checkpoint(connection)
        checkpoint.load()
        yield sink, checkpoint.announce(150)


CutOff = tuple[ClickHouseSink, str]


@pytest.mark.parametrize("times", [0, 1, 2])
def test_an_announced_batch_that_has_arrived_or_not_is_there_once(
    cut_off: CutOff, times: int, log: Database, url: str, clickhouse: Client
) -> None:
    sink, token = cut_off
    batch = cut(log, 100, 150)
    for _ in range(times):
        sink.insert(batch, token)
    assert compared(log, clickhouse).held == (150 if times else 100)
    forward(log, url)
    assert_exactly_once(log, clickhouse)


def test_a_batch_that_arrives_after_another_forwarder_has_taken_over_changes_nothing(
    cut_off: CutOff, log: Database, url: str, clickhouse: Client
) -> None:
    sink, token = cut_off
    late = cut(log, 100, 150)
    forward(log, url)
    before = count(clickhouse)
    sink.insert(late, token)
    assert count(clickhouse) == before
    assert_exactly_once(log, clickhouse)


@pytest.mark.usefixtures("unmerged")
def test_a_row_that_does_get_in_twice_is_seen_by_the_check_and_dropped_by_a_merge(
    cut_off: CutOff, log: Database, url: str, clickhouse: Client
) -> None:
    sink, _ = cut_off
    batch = cut(log, 0, 50)
    forward(log, url)
    sink.insert(batch, "a token of nobody's")
    found = compared(log, clickhouse)
    assert (found.first_wrong, found.doubled, found.missing) == (1, 50, 0)
    assert found.difference == "position 1 is in ClickHouse 2 times"
    clickhouse.command(f"OPTIMIZE TABLE {TABLE} FINAL")
    assert_exactly_once(log, clickhouse)


LOSSES = [
    ("position IN (77, 1500)", 77, 2, "position 77 is missing in ClickHouse"),
    ("position = 1999 AND row = 1", 1999, 0, "position 1999 has 1 rows in ClickHouse, not 2"),
    ("position = 3 AND row = 0", 3, 0, "position 3 has lost its first row in ClickHouse"),
    ("position > 1990", 1991, 10, "position 1991 is missing in ClickHouse"),
    ("1", 1, 2000, "position 1 is missing in ClickHouse"),
]


def test_rows_lost_in_clickhouse_are_found_and_put_right_from_the_log(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    """One loss after the other."""
    record(system, 2_000)
    forward(log, url)
    for where, first, missing, difference in LOSSES:
        assert compared(log, clickhouse).equal
        delete(clickhouse, where)
        found = compared(log, clickhouse)
        assert (found.first_wrong, found.missing, found.difference) == (first, missing, difference)
        forward(log, url)  # nothing is left to forward, but a start looks
        wait_until(lambda: compared(log, clickhouse).equal)
        assert_exactly_once(log, clickhouse)


def test_an_event_that_looks_like_another_one_and_was_recorded_at_another_time_is_told_from_it(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    """As when a log was restored and the same was done again."""
    record(system, 100)
    forward(log, url)
    with log.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE log.events SET time = time + interval '1 millisecond' WHERE position = 42")
    found = compared(log, clickhouse)
    assert (found.first_wrong, found.difference) == (42, "position 42 is another event in ClickHouse")
    forward(log, url)
    assert_exactly_once(log, clickhouse)


def test_a_table_that_was_dropped_is_made_and_filled_again(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    record(system, 500)
    with forwarding(log, url, route()) as forwarder:
        wait_until(lambda: forwarded(log))
        clickhouse.command(f"DROP TABLE {TABLE} SYNC")
        with pytest.raises(ClickHouseRefused, match="UNKNOWN_TABLE"):
            compared(log, clickhouse)
        record(system, 1)
        wait_until(lambda: forwarder.status.snapshot().position == 501)
    assert_exactly_once(log, clickhouse)


def test_a_lost_checkpoint_is_found_again_in_clickhouse(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    record(system, 500)
    forward(log, url)
    with log.connect() as connection:
        connection.execute("DELETE FROM log.checkpoints")
    record(system, 10)
    with forwarding(log, url) as forwarder:
        wait_until(lambda: forwarded(log) and forwarder.status.snapshot().position == 510)
        assert forwarder.status.snapshot().events == 10
    assert_exactly_once(log, clickhouse)


def test_what_a_restored_log_does_not_have_is_taken_away(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    record(system, 500)
    forward(log, url)
    with log.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM log.events WHERE position > 400")
    record(system, 20)
    forward(log, url)
    assert_exactly_once(log, clickhouse)


def test_what_a_restored_log_has_instead_is_sent_though_it_looks_alike(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    """The same version of the same stream, of the same type, at the same position."""
    record(system, 100)
    forward(log, url)
    system.app.record(ME, [JobStateChanged(9, 7, None, "validation", "completed", "annotation", "new")])
    with log.connect() as connection:
        backup = connection.execute("SELECT consumer, position FROM log.checkpoints").fetchall()
        forward(log, url)
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM log.events WHERE position > 100")
        for row in backup:
            connection.execute("UPDATE log.checkpoints SET position = %(position)s WHERE consumer = %(consumer)s", row)
    system.app.record(ME, [JobStateChanged(9, 7, None, "validation", "rejected", "annotation", "new")])
    forward(log, url)
    assert_exactly_once(log, clickhouse)


def test_recovery_is_told_apart_from_an_ordinary_start(
    system: System, log: Database, url: str, clickhouse: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewinds: list[int] = []
    monkeypatch.setattr(recovery, "_rewind", lambda *args: rewinds.append(args[3]))
    record(system, 50)
    forward(log, url)
    forward(log, url)
    assert rewinds == []


def test_a_dead_letter_that_is_taken_when_it_is_sent_anew_is_none_any_more(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    record(system, 200)
    forward(log, url)
    delete(clickhouse, "position IN (50, 100)")
    with log.connect() as connection:
        dead_letters.note(connection, CONSUMER, [DeadLetter.at(100, "transform", "what was mended since")])
    forward(log, url)
    assert_exactly_once(log, clickhouse)
    with log.connect() as connection:
        assert dead_letters.positions(connection, CONSUMER) == []
