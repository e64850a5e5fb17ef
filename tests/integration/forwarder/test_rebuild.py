"""The tables can be made anew from the log, and what differs is put right, while everything goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from cli.bootstrap import System
from consumers.forwarder import dead_letters
from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.means import Means
from consumers.forwarder.mending import rebuild as rebuilding
from consumers.forwarder.mending.by_hand import mend
from consumers.forwarder.mending.rebuild import rebuild
from consumers.forwarder.mending.resending import resend
from consumers.forwarder.reconciler import Reconciler
from consumers.forwarder.rows import table_rows
from consumers.forwarder.sending import send
from consumers.forwarder.sinks.clickhouse import ClickHouseSink
from consumers.forwarder.topology import Route, Topology, Wrong
from consumers.lock import FollowerLock
from infra.postgres import verifications
from infra.postgres.database import Database

from ...waiting import wait_until
from .steps import (
    LAYOUT,
    SMALL,
    assert_exactly_once,
    compared,
    delete,
    forward,
    forwarded,
    forwarding,
    head,
    means,
    record,
    rows_of,
)


def resend_all(route: Route, given: Means) -> None:
    with given.database.connect() as connection:
        letters = dead_letters.listed(connection, route.consumer)
    resend(route, given, letters)


def silent(_position: int, _until: int) -> None:
    """Progress that nobody watches."""


def test_a_rebuild_while_events_come_in_leaves_each_exactly_once(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    record(system, 1_500)
    forward(log, url)
    delete(clickhouse, "position IN (5, 77)")
    stop = threading.Event()

    def more() -> None:
        while not stop.wait(0.01):
            record(system, 5)

    writer = threading.Thread(target=more)
    with forwarding(log, url) as forwarder:
        writer.start()
        try:
            done = rebuild(SMALL, means(log, url), silent)
        finally:
            stop.set()
            writer.join()
        assert done.events >= 1_500
        wait_until(lambda: forwarded(log) and forwarder.status.snapshot().state == "forwarding")
    assert_exactly_once(log, clickhouse)
    assert clickhouse.query("SELECT count() FROM system.databases WHERE name = 'cvat_rebuild'").result_rows == [(0,)]
    record(system, 10)
    forward(log, url)
    assert_exactly_once(log, clickhouse)


@pytest.mark.parametrize("calls", [1, 2], ids=["before it has begun", "after the exchange"])
def test_what_a_rebuild_leaves_that_is_killed_is_removed(
    calls: int, system: System, log: Database, url: str, clickhouse: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the exchange it is the old tables, with all that a rebuild was to redact."""

    class Killed(Exception):
        pass

    def killed(sink: ClickHouseSink, database: str) -> None:
        done.append(database)
        if len(done) == calls:
            raise Killed
        drop(sink, database)

    done: list[str] = []
    drop = rebuilding._drop
    record(system, 100)
    forward(log, url)
    ClickHouseSink(url, LAYOUT.beside("cvat_rebuild")).migrate()
    monkeypatch.setattr(rebuilding, "_drop", killed)
    with pytest.raises(Killed):
        rebuild(SMALL, means(log, url), silent)
    monkeypatch.undo()
    with log.connect() as connection:
        at_work = FollowerLock(connection, SMALL.mender)
        at_work.wait()
        assert Reconciler(SMALL, means(log, url), 60.0).look() is None
        assert len(databases(clickhouse)) == 2
        at_work.release()
        found = Reconciler(SMALL, means(log, url), 60.0).look()
    assert found is not None
    assert found.equal
    assert databases(clickhouse) == ["cvat"]


def databases(clickhouse: Client) -> list[str]:
    """Those of the tables, and what is made of them."""
    rows = clickhouse.query("SELECT name FROM system.databases WHERE name LIKE 'cvat%' ORDER BY name").result_rows
    return [name for (name,) in rows]


def test_only_a_clickhouse_can_be_rebuilt(log: Database, url: str, tmp_path: Path) -> None:
    sinks = {"archive": {"type": "file", "input": "log", "folder": str(tmp_path)}}
    archive = Topology.model_validate({"sources": {"log": {"type": "log"}}, "sinks": sinks}).route("archive")
    with pytest.raises(Wrong, match="archive is no ClickHouse"):
        rebuild(archive, means(log, url), silent)


@pytest.mark.parametrize("where", ["position = 40", "position BETWEEN 100 AND 700", "row = 1"])
def test_a_repair_sends_what_differs(system: System, log: Database, url: str, clickhouse: Client, where: str) -> None:
    record(system, 1_000)
    forward(log, url)
    delete(clickhouse, where)
    assert not compared(log, clickhouse).equal
    done = mend(SMALL, means(log, url))
    assert done.until == 1_000
    assert 0 < done.events <= 1_000
    assert_exactly_once(log, clickhouse)
    assert mend(SMALL, means(log, url)).events == 0


@pytest.mark.parametrize("put_right", [mend, lambda route, given: rebuild(route, given, silent), resend_all])
def test_whoever_puts_right_by_hand_waits_for_the_reconciler(
    put_right: Callable[[Route, Means], object], system: System, log: Database, url: str, clickhouse: Client
) -> None:
    """Two who delete and send the same events at once would leave them twice."""
    record(system, 100)
    forward(log, url)
    delete(clickhouse, "position = 40")
    with log.connect() as connection:
        dead_letters.note(connection, SMALL.consumer, [DeadLetter.at(40, "insert", "what was mended since")])
        reconciling, reconciled = FollowerLock(connection, SMALL.mender), threading.Event()
        wait_until(reconciling.take)
        worker = threading.Thread(target=lambda: (put_right(SMALL, means(log, url)), reconciled.set()))
        worker.start()
        wait_until(reconciling.wanted)
        assert not rows_of(clickhouse, "position", "position = 40")
        assert not reconciled.is_set()
    worker.join(60)
    assert reconciled.is_set()


class TestReconciler:
    """Compares again and again, and mends what is wrong twice."""

    def test_finds_what_is_wrong_and_puts_it_right(
        self, system: System, log: Database, url: str, clickhouse: Client
    ) -> None:
        record(system, 1_000)
        forward(log, url)
        reconciler = Reconciler(SMALL, means(log, url), 60.0)
        found = reconciler.look()
        assert found is not None
        assert (found.equal, found.until, found.held) == (True, 1_000, 1_000)
        delete(clickhouse, "position = 8")
        record(system, 100)
        forward_only_new(log, url)
        again = reconciler.look()  # only what is new
        assert again is not None
        assert (again.after, again.until, again.equal) == (1_000, 1_100, True)
        fresh = Reconciler(SMALL, means(log, url), 60.0)
        wrong = fresh.look()
        assert wrong is not None
        assert (wrong.first_wrong, wrong.difference) == (8, "position 8 is missing in ClickHouse")
        mended = fresh.look()
        assert mended is not None
        assert mended.equal
        assert_exactly_once(log, clickhouse)
        kept = {row["scope"]: row for row in verifications.last(log)}
        assert (kept["clickhouse"]["differences"], kept["clickhouse"]["position"]) == (0, 1_100)

    def test_an_event_that_has_become_a_dead_letter_or_is_none_any_more_is_noted(
        self, system: System, log: Database, url: str, clickhouse: Client
    ) -> None:
        record(system, 300)
        forward(log, url)
        delete(clickhouse, "position = 100")
        with log.connect() as connection:
            yesterday = DeadLetter.at(100, "transform", "what was mended since")
            dead_letters.note(connection, SMALL.consumer, [yesterday])
            connection.execute("SET session_replication_role = replica")
            connection.execute("UPDATE log.events SET type = 'Unheard' WHERE position = 50")
        delete(clickhouse, "position IN (40, 50)")
        reconciler = Reconciler(SMALL, means(log, url), 60.0)
        reconciler.look()
        mended = reconciler.look()
        assert mended is not None
        assert (mended.first_wrong, mended.missing, mended.dead) == (None, 0, 1)
        with log.connect() as connection:
            (letter,) = dead_letters.listed(connection, SMALL.consumer)
        assert (letter.position, letter.stage) == (50, "read")

    def test_an_event_that_is_another_one_is_noticed(
        self, system: System, log: Database, url: str, clickhouse: Client
    ) -> None:
        record(system, 50)
        forward(log, url)
        clickhouse.command(
            "ALTER TABLE cvat.events UPDATE version = version + 1 WHERE position = 33", settings={"mutations_sync": 2}
        )
        found = Reconciler(SMALL, means(log, url), 60.0).look()
        assert found is not None
        assert (found.first_wrong, found.difference) == (33, "position 33 is another event in ClickHouse")


def forward_only_new(log: Database, url: str) -> None:
    """Without the look at all that is there, which would put the hole right: a forwarder that was running all along."""
    with log.connect() as connection, closing(ClickHouseSink(url, LAYOUT)) as sink:
        checkpoint = Checkpoint(connection)
        checkpoint.load()
        send(connection, sink, table_rows, checkpoint.progress.acknowledged, head(log), "new")
        checkpoint.acknowledge(head(log))
