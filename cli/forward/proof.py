"""What `annals verify` says of ClickHouse."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

from clickhouse_connect.driver.client import Client
from psycopg import Connection
from psycopg.rows import DictRow

from cli.clickhouse_address import any_clickhouse
from cli.forward.parts import redaction_key, topology
from cli.phrases.words import counted
from cli.progress import fold_progress
from cli.serving.server_file import running_server
from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.means import expected
from consumers.forwarder.proof import inventory
from consumers.forwarder.proof.check import Reconciliation, compare
from consumers.forwarder.proof.contents import Discrepancy, discrepancies
from consumers.forwarder.proof.inventory import Expected
from consumers.forwarder.topology import ClickHouseConfig, LogConfig, Route
from domain.errors import Unavailable
from infra.clickhouse import derived
from infra.clickhouse.client import ClickHouseRefused, connect
from infra.clickhouse.derived import Difference
from infra.clickhouse.schema import Layout
from infra.postgres.database import Database
from infra.settings import Settings
from projections.finding import Finding

LOOK_SECONDS = 0.1
LOST = (60, 81)
"""ClickHouse's codes of a table and of a database that are not there: rows that are gone, not an outage."""
MOST_RANGES = 20
"""Of positions that are named."""


class Question(NamedTuple):
    """What is asked of ClickHouse. `head`: the end of the log; `wait`: at most so many seconds for what is on its way;
    `rows`: cell by cell, too; `alone`: of nothing else, so that nothing at all is no answer.
    """

    head: int
    wait: float
    rows: bool = False
    alone: bool = False


def clickhouse_findings(settings: Settings, database: Database, asked: Question) -> list[Finding]:
    """Of each ClickHouse that the topology feeds: up to the end of the log; or, when no server runs that would forward
    the rest, as far as events were forwarded. Raises Wrong for a topology that can't be followed.
    """
    routes = [route for route in topology(settings).routes() if isinstance(route.sink, ClickHouseConfig)]
    if not routes:
        return [Finding("ClickHouse", "", unknown="the topology has no sink of this kind")]
    findings = list[Finding]()
    for route in routes:
        name = "ClickHouse" if len(routes) == 1 else f"ClickHouse, {route.name}"
        findings += _of_route(settings, database, route, name, asked)
    return findings


def _of_route(settings: Settings, database: Database, route: Route, name: str, asked: Question) -> list[Finding]:
    try:
        with _url(settings, route) as url, database.connect() as connection, closing(connect(url)) as client:
            layout = Layout.of(settings)
            wanted = expected(connection, client, route, layout)
            until = _reached(settings, connection, client, route, wanted, asked)
            found = compare(connection, client, layout, wanted, until)
            measure, nothing = _measure(found, asked.head), _nothing(found, asked)
            findings = [Finding(name, measure, found.difference, nothing)]
            if asked.rows:
                shaper = route.shaper(redaction_key(settings))
                with fold_progress("Comparing rows") as progress:
                    differing = discrepancies(connection, client, layout.database, shaper, wanted, until, progress)
                    findings.append(Finding(f"rows in {name}", measure, _told(differing), nothing))
                beside = derived.differences(client, layout, wanted.floor, until, wanted.expired)
                subject = "tables beside events" + name.removeprefix("ClickHouse")
                findings.append(Finding(subject, measure, _beside(next(beside, None)), nothing))
            return findings
    except ClickHouseRefused as error:
        lost = error.code in LOST
        return [Finding(name, "", error.message if lost else None, None if lost else error.message)]
    except Unavailable as error:
        return [Finding(name, "", unknown=error.message)]


@contextmanager
def _url(settings: Settings, route: Route) -> Iterator[str]:
    assert isinstance(route.sink, ClickHouseConfig)
    if route.sink.url:
        yield route.sink.url
    else:
        with any_clickhouse(settings) as url:
            yield url


def _reached(
    settings: Settings,
    connection: Connection[DictRow],
    client: Client,
    route: Route,
    wanted: Expected,
    asked: Question,
) -> int:
    """Up to where is to be compared, when what is on its way has been waited for."""
    head = asked.head
    if head and not isinstance(route.source, LogConfig):
        _wait_for_rows(client, Layout.of(settings), wanted, head, asked.wait)
        return head
    running = running_server(settings.run) is not None
    forwarded = _wait_for_forwarder(connection, route, head, asked.wait if running else 0.0)
    return head if running else min(head, forwarded)


def _told(differing: Iterable[Discrepancy]) -> str | None:
    """The first of them in words, and the positions of as many as a command line takes."""
    first: Discrepancy | None = None
    ranges: list[list[int]] = []
    events = 0
    for one in differing:
        first, events = first or one, events + 1
        if ranges and ranges[-1][1] == one.position - 1:
            ranges[-1][1] = one.position
        elif len(ranges) <= MOST_RANGES:
            ranges.append([one.position, one.position])
    if first is None:
        return None
    what = f"column {first.column}" if first.column else "number of rows"
    places = " ".join(f"{low}" if low == high else f"{low}-{high}" for low, high in ranges[:MOST_RANGES])
    more = ", and others behind these" if len(ranges) > MOST_RANGES else ""
    return (
        f"{counted(events, 'event')} told otherwise than by the log, first that of position {first.position} ({what}):"
        f" see annals forward repair {places}{more}"
    )


def _beside(first: Difference | None) -> str | None:
    if first is None:
        return None
    return f"{first.table} tells position {first.first} otherwise than events does: see annals forward repair"


def _measure(found: Reconciliation, head: int) -> str:
    gone = f", {found.expired:,} of them expired" if found.expired else ""
    behind = f", {head - found.until:,} not forwarded yet" if found.until < head else ""
    return f"positions 1 to {found.until:,}{gone}{behind}"


def _nothing(found: Reconciliation, asked: Question) -> str | None:
    """Why nothing could be compared, if so."""
    if asked.alone and found.until == 0 < asked.head:
        return "nothing was forwarded yet"
    if found.difference or found.held or not found.expired:
        return None
    return f"the rows of all {found.expired:,} events have expired (ANNALS_CLICKHOUSE_TTL_DAYS)"


def _wait_for_forwarder(connection: Connection[DictRow], route: Route, head: int, seconds: float) -> int:
    """Returns how far ClickHouse has acknowledged."""
    deadline, checkpoint = time.monotonic() + seconds, Checkpoint(connection, route.consumer)
    while (position := checkpoint.acknowledged()) < head and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
    return position


def _wait_for_rows(client: Client, layout: Layout, wanted: Expected, head: int, seconds: float) -> None:
    """What comes by Kafka comes in no order, so nothing but the rows tells how far it is."""
    deadline = time.monotonic() + seconds
    while inventory.take(client, layout.database, wanted.floor, head).positions < wanted.count(wanted.floor, head):
        if time.monotonic() > deadline:
            return
        time.sleep(LOOK_SECONDS)
