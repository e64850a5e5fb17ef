"""Far behind, other processes help: the same rows come of it, whatever happens to the helpers and on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from urllib.parse import urlsplit

import psutil
import pytest
from clickhouse_connect.driver.client import Client

from cli.bootstrap import System
from consumers.forwarder.batch import Limits
from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.cutter import Cutter
from consumers.forwarder.intake import intake, workers
from consumers.forwarder.intake.worker import work
from consumers.forwarder.intake.workers import COMMAND, Workers
from consumers.forwarder.rows import COLUMNS, table_rows
from consumers.forwarder.sinks.clickhouse import ClickHouseSink
from consumers.forwarder.sources.deliveries import PARTITION, LogPortion
from consumers.forwarder.sources.log import LogFeed
from consumers.forwarder.topology import Topology
from infra.clickhouse.encoding import Encoder
from infra.postgres.database import Database

from ...waiting import wait_until
from .moody import Answer, content, having, inserts, moody, withheld
from .steps import (
    LAYOUT,
    REPOSITORY,
    SECONDS,
    TABLE,
    assert_exactly_once,
    compared,
    cut,
    empty_tables,
    forward,
    forwarded,
    forwarding,
    record,
    route,
)
from .test_moods import POISON, letters, record_poison
from .workers import BACKLOG, FAR, PORTION, Portions, handed_out, positions, workers_now

__all__ = ["handed_out"]

ALONE = Topology.model_validate(
    {
        "sources": {"log": {"type": "log", "workers": 0}},
        "sinks": {"clickhouse": {"type": "clickhouse", "input": "log"}},
    }
).route("clickhouse")
FORWARDER = f"""
import sys, threading
from consumers.forwarder.intake import intake
from consumers.forwarder.sources import portions
from tests.integration.forwarder.steps import forwarder_of, SMALL
from infra.postgres.database import Database
intake.FAR_BEHIND, portions.EVENTS = {FAR}, {PORTION}
if __name__ == "__main__":
    forwarder_of(Database(sys.argv[1]), sys.argv[2], SMALL).run(threading.Event())
"""


def digest(clickhouse: Client) -> object:
    statement = f"SELECT count(), sum(cityHash64(toString(tuple(*)))) FROM {TABLE}"
    ((rows, digest),) = clickhouse.query(statement).result_rows
    assert digest  # NULL would be equal to everything
    return rows, digest


def test_workers_make_the_same_rows(
    system: System, log: Database, url: str, clickhouse: Client, handed_out: Portions
) -> None:
    record(system, BACKLOG)
    with forwarding(log, url, ALONE):
        wait_until(lambda: forwarded(log))
    assert handed_out == []
    made_alone = digest(clickhouse)

    empty_tables(clickhouse)
    with log.connect() as connection:
        Checkpoint(connection).forget()
    forward(log, url)
    assert positions(handed_out) == list(range(1, BACKLOG + 1))
    assert max(portion.until - portion.after for portion in handed_out) == PORTION
    assert digest(clickhouse) == made_alone
    assert_exactly_once(log, clickhouse)


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 0)])
def test_a_batch_that_comes_twice_is_taken_once_whoever_made_it(
    order: tuple[int, int], system: System, log: Database, url: str, clickhouse: Client
) -> None:
    record(system, 900)
    cutter, encoder = Cutter(PARTITION, 0, Limits()), Encoder(COLUMNS)
    with log.connect() as connection, closing(ClickHouseSink(url, LAYOUT)) as sink:
        sink.migrate()
        stored = LogFeed(connection, 0).fetch()
        for start in range(0, 900, 200):
            for run in work(LogPortion(stored[start : start + 200]), table_rows, Limits(), encoder).batches:
                assert cutter.join(run) == []
        made = (cut(log, 0, 900), cutter.cut())
        for which in order:
            sink.insert(made[which], "one token")
    assert_exactly_once(log, clickhouse)
    in_all, different = clickhouse.query("SELECT count(), uniqExact(position, row) FROM cvat.job_changes").first_row
    assert in_all == different > 0


def test_what_comes_while_it_catches_up_and_afterwards_comes_behind_it(
    system: System, log: Database, url: str, clickhouse: Client, handed_out: Portions
) -> None:
    record(system, BACKLOG)
    with forwarding(log, url, route(2_000)) as forwarder:
        wait_until(lambda: forwarder.status.snapshot().position > 0)
        record(system, 300)
        wait_until(lambda: forwarded(log))
        record(system, 3)
        wait_until(lambda: forwarded(log))
        assert forwarder.status.snapshot().failures == 0
    assert handed_out
    assert_exactly_once(log, clickhouse)


def killed() -> None:
    for child in workers_now():
        child.kill()


def hanging() -> None:
    for child in workers_now():
        child.send_signal(signal.SIGSTOP)


@pytest.mark.parametrize("fate", [killed, hanging])
def test_workers_that_are_lost_are_done_without(
    fate: Callable[[], None],
    system: System,
    log: Database,
    url: str,
    clickhouse: Client,
    handed_out: Portions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record(system, BACKLOG)
    with forwarding(log, url, route(2_000)) as forwarder:
        wait_until(lambda: len(handed_out) >= 4)
        monkeypatch.setattr(intake, "PATIENCE", 0.5)
        fate()
        wait_until(lambda: forwarded(log))
        assert forwarder.status.snapshot().failures == 0
    wait_until(lambda: not workers_now())
    assert_exactly_once(log, clickhouse)


@pytest.mark.parametrize("command", [["/no/such/program"], [sys.executable, "-c", "0"], ["sleep", "60"]])
def test_workers_that_cannot_be_started_are_done_without(
    command: list[str],
    system: System,
    log: Database,
    url: str,
    clickhouse: Client,
    handed_out: Portions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "COMMAND", command)
    monkeypatch.setattr(workers, "START_SECONDS", 0.5)
    record(system, BACKLOG)
    forward(log, url)
    assert_exactly_once(log, clickhouse)


def test_kill_9_of_the_forwarder_ends_its_workers_and_loses_nothing(
    system: System, log: Database, url: str, clickhouse: Client, handed_out: Portions
) -> None:
    record(system, BACKLOG)
    helpers: list[psutil.Process] = []
    with moody(urlsplit(url).port or 0) as proxy:
        proxy.mood = withheld(asked := threading.Event(), answers := threading.Event())
        command = [sys.executable, "-c", FORWARDER, log.url, proxy.url(url)]
        with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(REPOSITORY)}) as process:
            asked.wait(SECONDS)
            helpers += psutil.Process(process.pid).children(recursive=True)
            process.kill()
        answers.set()
    assert len(helpers) >= 2
    wait_until(lambda: all(has_ended(helper) for helper in helpers))
    assert not forwarded(log)
    forward(log, url)
    assert handed_out
    assert_exactly_once(log, clickhouse)


def has_ended(process: psutil.Process) -> bool:
    """Also when nobody has asked how."""
    try:
        return not process.is_running() or bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_a_batch_that_was_announced_is_cut_there_again(
    system: System, log: Database, url: str, clickhouse: Client, handed_out: Portions
) -> None:
    record(system, BACKLOG)
    with log.connect() as connection:
        checkpoint = Checkpoint(connection)
        checkpoint.load()
        checkpoint.announce(1_234)
    forward(log, url)
    assert handed_out[0].after >= 1_234
    assert_exactly_once(log, clickhouse)


def test_an_event_that_is_refused_or_cannot_be_read_becomes_a_dead_letter_here_too(
    system: System, log: Database, url: str, clickhouse: Client, handed_out: Portions
) -> None:
    record(system, 1_000)
    poison = record_poison(system, 1)
    record(system, BACKLOG)
    with log.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE log.events SET type = 'OfAnotherWorld' WHERE position = 700")
    with moody(urlsplit(url).port or 0) as proxy:
        proxy.mood = having(POISON.encode(), Answer(400, 27, "Cannot parse input"))
        forward(log, proxy.url(url))
    assert [(letter.position, letter.stage) for letter in letters(log)] == [(700, "read"), (poison, "insert")]
    found = compared(log, clickhouse)
    assert (found.missing, found.dead, found.doubled, found.first_wrong) == (0, 2, 0, None)
    assert len(handed_out) > 1


def test_workers_that_have_nothing_to_do_end_also_while_clickhouse_keeps_everybody_waiting(
    system: System,
    log: Database,
    url: str,
    clickhouse: Client,
    handed_out: Portions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "IDLE_SECONDS", 0.2)
    answers = threading.Event()
    record(system, 3 * FAR)
    with moody(urlsplit(url).port or 0) as proxy:
        proxy.mood = withheld(threading.Event(), answers)
        with forwarding(log, proxy.url(url), route(batch={"rows": 100, "bytes": 20_000})):
            wait_until(lambda: handed_out)
            wait_until(lambda: not workers_now())
            answers.set()
            wait_until(lambda: forwarded(log))
    assert_exactly_once(log, clickhouse)


def test_workers_end_while_nothing_that_they_make_arrives(
    system: System,
    log: Database,
    url: str,
    clickhouse: Client,
    handed_out: Portions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "IDLE_SECONDS", 0.2)
    record(system, BACKLOG)
    with moody(urlsplit(url).port or 0) as proxy:
        proxy.mood = inserts(Answer(503, 242, "the table is read only"))
        with forwarding(log, proxy.url(url), route(batch={"rows": 400})) as forwarder:
            wait_until(lambda: handed_out)
            seen: dict[int, int] = {}  # after so many failures: how much had been handed out

            def rests() -> bool:
                seen.setdefault(forwarder.status.snapshot().failures, len(handed_out))
                return list(seen.values()).count(len(handed_out)) > 2 and not workers_now()

            wait_until(rests)
            proxy.mood = content
            wait_until(lambda: forwarded(log))
    assert_exactly_once(log, clickhouse)


def test_workers_come_back_when_something_arrives_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(workers, "START_SECONDS", SECONDS)
    arrived = 0
    along = route()
    helpers = Workers(1, along.shaper_maker(None), Limits(), lambda: arrived)
    try:
        wait_until(helpers.ready)
        helpers.note_failure()
        wait_until(lambda: not helpers.ready())
        helpers.rest()
        assert not workers_now()
        arrived = 1
        wait_until(helpers.ready)
        assert len(workers_now()) == 1
    finally:
        helpers.close()


@pytest.mark.parametrize("source", ["deliveries", "messages"])
def test_a_worker_loads_nothing_large_that_it_does_not_need(source: str) -> None:
    """Its memory counts, as often as there are workers."""
    program = f"import sys, {COMMAND[-1]}, consumers.forwarder.sources.{source}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout.split()
    assert COMMAND[-1] in loaded
    assert {"numpy", "psycopg", "kafka", "pydantic", "natsort", "structlog"}.isdisjoint(loaded)
