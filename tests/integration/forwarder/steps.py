"""What the tests of the forwarder do: record, forward, interrupt, compare."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from cli.bootstrap import System
from consumers.forwarder.batch import Batch, Limits
from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.cutter import Cutter, shape
from consumers.forwarder.forwarder import Forwarder
from consumers.forwarder.means import Means, expected
from consumers.forwarder.proof.check import Reconciliation, compare
from consumers.forwarder.rows import COLUMNS, table_rows
from consumers.forwarder.sources.deliveries import PARTITION
from consumers.forwarder.sources.log import LogSource
from consumers.forwarder.status import lag
from consumers.forwarder.topology import Route, Topology
from domain.event import Actor, Body, Context
from domain.events.job import JobAssigned, JobStateChanged
from infra.clickhouse.process import EndpointProcess
from infra.clickhouse.schema import Layout
from infra.eventlog.reader import LogReader
from infra.postgres.database import Database

from ...waiting import wait_until

SECONDS = 120.0
PASSWORD = "forwarder's"
TABLE = "cvat.events"
LAYOUT = Layout()
FORWARDER = """
import signal, sys, threading
from tests.integration.forwarder.steps import forwarder_of, SMALL
from infra.postgres.database import Database
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
forwarder_of(Database(sys.argv[1]), sys.argv[2], SMALL).run(stop)
"""
REPOSITORY = Path(__file__).parents[3]
ME = Context(Actor(1, "ann"), correlation_id="request-1", user_agent="a test")


def route(rows: int = 10_000, **sink: Any) -> Route:
    """The default one, with batches of so many rows."""
    sinks = {"clickhouse": {"type": "clickhouse", "input": "log", "batch": {"rows": rows}, **sink}}
    return Topology.model_validate({"sources": {"log": {"type": "log"}}, "sinks": sinks}).route("clickhouse")


SMALL = route(100)


def means(log: Database, url: str) -> Means:
    return Means(log, url, Path(tempfile.gettempdir()), LAYOUT)


def forwarder_of(log: Database, url: str, along: Route) -> Forwarder:
    return Forwarder(along, means(log, url))


def url_of(endpoint: EndpointProcess) -> str:
    return f"http://forwarder:{PASSWORD}@127.0.0.1:{endpoint.port}/cvat"


def empty_tables(clickhouse: Client) -> None:
    """All that is in the database; making them anew would take a second."""
    named = "SELECT name FROM system.tables WHERE database = 'cvat' AND engine LIKE '%MergeTree'"
    for (name,) in clickhouse.query(named).result_rows:
        clickhouse.command(f"TRUNCATE TABLE cvat.{name} SYNC")


def moved(number: int) -> list[Body]:
    """Events of two rows and of one, in turn."""
    events: list[Body] = []
    for n in range(number):
        job_id = random.randint(1, 500)
        if n % 2:
            events.append(JobAssigned(job_id, 7, None, 6, "bob", None))
        else:
            events.append(JobStateChanged(job_id, 7, None, "validation", "completed", "annotation", "new"))
    return events


def record(system: System, number: int) -> None:
    for first in range(0, number, 2_000):
        system.app.record(ME, moved(min(2_000, number - first)))


def forwarding(log: Database, url: str, along: Route = SMALL) -> AbstractContextManager[Forwarder]:
    return running(forwarder_of(log, url, along))


@contextmanager
def running(forwarder: Forwarder) -> Iterator[Forwarder]:
    """In a thread; stopped in order at the end."""
    stop = threading.Event()
    thread = threading.Thread(target=forwarder.run, args=(stop,))
    thread.start()
    try:
        yield forwarder
    finally:
        stop.set()
        thread.join(SECONDS)
        assert not thread.is_alive()


def is_failing(forwarder: Forwarder, times: int, why: str = "") -> bool:
    """Whether it has failed so often, and waits for the next try just now."""
    snapshot = forwarder.status.snapshot()
    return snapshot.state == "failing" and snapshot.failures >= times and why in str(snapshot.last_error)


@contextmanager
def forwarder_process(log: Database, url: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", FORWARDER, log.url, url]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def head(log: Database) -> int:
    with log.connection() as connection:
        return LogReader().head(connection)


def forwarded(log: Database) -> bool:
    """Whether all that was recorded has been acknowledged."""
    with log.connection() as connection:
        return lag(connection).events == 0


def forward(log: Database, url: str) -> None:
    with forwarding(log, url, route()) as forwarder:
        # The one before may still be leaving.
        wait_until(lambda: forwarder.status.snapshot().state == "forwarding" and forwarded(log))


def compared(log: Database, clickhouse: Client, along: Route = SMALL) -> Reconciliation:
    with log.connect() as connection:
        wanted = expected(connection, clickhouse, along, LAYOUT)
        return compare(connection, clickhouse, LAYOUT, wanted, head(log))


def cut(log: Database, after: int, until: int) -> Batch:
    """One batch of these positions, as the forwarder cuts it when it has announced it."""
    with log.connect() as connection:
        cutter = Cutter(PARTITION, after, Limits(), announced=until)
        source = LogSource(connection, Checkpoint(connection), threading.Event())
        events = (delivery for delivery in source.poll(0) if after < delivery.position <= until)
        (batch,) = [batch for delivery in events for batch in cutter.add(shape(delivery, table_rows))]
    return batch


def count(clickhouse: Client) -> int:
    """As a dashboard counts: without FINAL. 0 while there is no table."""
    try:
        ((number,),) = clickhouse.query(f"SELECT count() FROM {TABLE}").result_rows
        return int(number)
    except Exception as error:
        if "UNKNOWN_TABLE" in str(error):
            return 0
        raise


def assert_exactly_once(log: Database, clickhouse: Client) -> None:
    """Each row that the log gives is there once, for plain queries, and none besides."""
    with log.connect() as connection:
        events = LogReader().stream(connection, 0, 2**62)
        wanted = [row for event in events for row in table_rows(event)]
    place = [list(COLUMNS).index(name) for name in ("position", "row", "scope", "payload")]
    held = clickhouse.query(f"SELECT position, row, scope, payload FROM {TABLE} ORDER BY position, row").result_rows
    assert [tuple(row) for row in held] == [tuple(row[i] for i in place) for row in wanted]
    assert compared(log, clickhouse).difference is None


def rows_of(clickhouse: Client, columns: str, where: str) -> list[tuple[Any, ...]]:
    statement = f"SELECT {columns} FROM cvat.events WHERE {where} ORDER BY position, row"
    return [tuple(row) for row in clickhouse.query(statement).result_rows]


def delete(clickhouse: Client, where: str) -> None:
    clickhouse.command(f"ALTER TABLE {TABLE} DELETE WHERE {where}", settings={"mutations_sync": 2})
