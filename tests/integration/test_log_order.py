"""Position order is commit order: no follower ever passes a position that is not committed, or misses one."""

from __future__ import annotations

import threading
from itertools import islice

import pytest

from cli.bootstrap import System, connect
from infra.eventlog import reader
from infra.eventlog.reader import LogReader
from infra.eventlog.recorder import EventLogRecorder

from .log_programs import Follower, Writer, append, head, positions, saves, until, waiting_for_the_append_lock


def recorder(system: System) -> EventLogRecorder:
    log = system.app.recorder
    assert isinstance(log, EventLogRecorder)
    return log


def test_positions_have_no_gaps_and_are_in_the_order_of_the_commits(system: System) -> None:
    got: list[list[int]] = []

    def work(size: int) -> None:
        got.extend(append(system, None, *range(1, size + 1)) for _ in range(20))

    threads = [threading.Thread(target=work, args=(1 + number % 4,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = system.database.query("SELECT position, xmin::text::bigint AS xid FROM log.events ORDER BY position")
    assert [row["position"] for row in rows] == list(range(1, 20 * (1 + 2 + 3 + 4) * 2 + 1))
    # Transactions are numbered at their first write, which they do while they hold the append lock.
    assert [row["xid"] for row in rows] == sorted(row["xid"] for row in rows)
    assert sorted(position for save in got for position in save) == positions(system)
    assert all(save == list(range(save[0], save[0] + len(save))) for save in got)


def test_followers_miss_nothing_while_two_processes_append_at_full_speed(system: System, database_url: str) -> None:
    writers = [Writer(database_url, name, size=size) for name, size in (("one", 1), ("two", 3))]
    with Follower(system).following() as follower, recorder(system).subscribe() as subscription:
        acknowledged = [save for writer in writers for save in writer.acknowledged()]
        last = head(system)
        assert last > 100
        assert [notification.id for notification in islice(subscription, last)] == list(range(1, last + 1))
        until(lambda: len(follower.positions) >= last)
    assert follower.positions == list(range(1, last + 1))
    found = saves(system)
    assert {save: found[save] for save in acknowledged} == {
        save: 1 if save.startswith("one") else 3 for save in acknowledged
    }
    assert len(found) == len(acknowledged) + 2
    assert {save.partition("-")[0] for save in acknowledged} == {"one", "two"}


def test_nobody_passes_an_append_that_is_held_open(system: System, database_url: str) -> None:
    append(system)
    other = connect(database_url, 2)
    threads = [threading.Thread(target=append, args=(each,)) for each in (system, other)]
    with Follower(system).following() as follower:
        until(lambda: follower.positions == [1])
        with recorder(other).append_transaction() as cursor:
            cursor.execute(
                "INSERT INTO log.events (position, stream, version, type, schema_version, time, source, state)"
                " SELECT position + 1, 'data-99', 1, type, schema_version, time, source, state FROM log.events"
            )
            for thread in threads:
                thread.start()
            until(lambda: len(waiting_for_the_append_lock(system)) == 2)
            assert positions(system) == [1]
            assert head(system) == 1
            with system.database.connection() as connection:
                assert list(LogReader().read(connection, 1, 2**62)) == []
            assert [n.id for n in recorder(system).select_notifications(1, 100)] == [1]
            assert follower.positions == [1]
        for thread in threads:
            thread.join()
        until(lambda: len(follower.positions) == 4)
    assert follower.positions == [1, 2, 3, 4]
    assert system.database.query("SELECT stream FROM log.events WHERE position = 2") == [{"stream": "data-99"}]
    other.close()


def test_an_append_that_is_rolled_back_leaves_no_gap(system: System) -> None:
    append(system)
    try:
        with recorder(system).append_transaction() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("DELETE FROM log.events")
            raise TimeoutError
    except TimeoutError:
        pass
    append(system)
    assert positions(system) == [1, 2]


def test_the_notification_log_of_the_library_reads_the_same(system: System) -> None:
    for number in range(25):
        append(system, None, number + 1)
    log = system.app.notification_log
    read = [*log.select(1, 10), *log.select(11, 10), *log.select(21, 10)]
    assert [notification.id for notification in read] == list(range(1, 26))
    assert [n.id for n in log.select(3, 10, stop=5)] == [3, 4, 5]
    assert [n.id for n in log.select(3, 2, inclusive_of_start=False)] == [4, 5]
    assert list(log.select(1, 10, topics=["TaskCreated"])) == []
    assert len(log.select(1, 100, topics=["UploadStarted", "TaskCreated"])) == 25


def test_a_reader_gets_a_range_in_batches(system: System) -> None:
    append(system, None, *range(1, 31))
    with system.database.connection() as connection:
        batches = [[event.position for event in batch] for batch in LogReader().read(connection, 3, 25, 10)]
        assert [len(batch) for batch in batches] == [10, 10, 2]
        assert [position for batch in batches for position in batch] == list(range(4, 26))
        assert LogReader().head(connection) == 30
        assert list(LogReader().read(connection, 30, 99)) == []


def test_a_batch_ends_before_its_payloads_take_too_much_memory(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """But one event always is a batch, also a large one after a gap that should not be there."""
    append(system, None, *range(1, 11))
    with system.database.connection() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE log.events SET state = state || repeat(' ', 1000)::bytea WHERE position IN (5, 9)")
        connection.execute("DELETE FROM log.events WHERE position = 8")
        monkeypatch.setattr(reader, "FETCH_BYTES", 60)
        batches = [[event.position for event in batch] for batch in LogReader().read(connection, 0, 99)]
        assert batches == [[1, 2, 3, 4], [5], [6, 7], [9], [10]]
        assert [event.position for event in LogReader().stream(connection, 3, 9)] == [4, 5, 6, 7, 9]
