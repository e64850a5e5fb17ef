"""What `annals verify` says of ClickHouse."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing

from clickhouse_connect.driver.client import Client
from psycopg import Connection
from psycopg.rows import DictRow

from cli.clickhouse_address import any_clickhouse
from cli.forward.parts import redaction_key, route
from cli.phrases.words import counted
from cli.progress import fold_progress
from cli.serving.server_file import running_server
from consumers.forwarder.checkpoint import CONSUMER, Checkpoint
from consumers.forwarder.means import expected
from consumers.forwarder.proof import inventory
from consumers.forwarder.proof.check import Reconciliation, compare
from consumers.forwarder.proof.contents import Discrepancy, discrepancies
from consumers.forwarder.proof.inventory import Expected
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


def clickhouse_findings(
    settings: Settings, database: Database, head: int, wait: float, *, rows: bool = False
) -> list[Finding]:
    """Waits at most so many seconds for what is on its way. Up to `head`; or, when no server runs that would forward
    the rest, as far as events were forwarded. `rows`: cell by cell, too.
    """
    until = head
    try:
        with (
            any_clickhouse(settings) as url,
            database.connect() as connection,
            closing(connect(url)) as client,
        ):
            layout = Layout.of(settings)
            wanted = expected(connection, client, CONSUMER, layout)
            if head and settings.kafka_url is not None:
                _wait_for_rows(client, layout, wanted, head, wait)
            else:
                running = running_server(settings.run) is not None
                forwarded = _wait_for_forwarder(connection, head, wait if running else 0.0)
                until = head if running else min(head, forwarded)
            found = compare(connection, client, layout, wanted, until)
            measure, nothing = _measure(found, head), _nothing(found)
            findings = [Finding("ClickHouse", measure, found.difference, nothing)]
            if rows:
                shaper = route(settings, None).shaper(redaction_key(settings))
                with fold_progress("Comparing rows") as progress:
                    differing = discrepancies(connection, client, layout.database, shaper, wanted, until, progress)
                    findings.append(Finding("rows in ClickHouse", measure, _told(differing), nothing))
                beside = derived.differences(client, layout, wanted.floor, until, wanted.expired)
                findings.append(Finding("tables beside events", measure, _beside(next(beside, None)), nothing))
            return findings
    except ClickHouseRefused as error:
        lost = error.code in LOST
        return [Finding("ClickHouse", "", error.message if lost else None, None if lost else error.message)]
    except Unavailable as error:
        return [Finding("ClickHouse", "", unknown=error.message)]


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


def _nothing(found: Reconciliation) -> str | None:
    """Why nothing could be compared, if so."""
    if found.difference or found.held or not found.expired:
        return None
    return f"the rows of all {found.expired:,} events have expired (ANNALS_CLICKHOUSE_TTL_DAYS)"


def _wait_for_forwarder(connection: Connection[DictRow], head: int, seconds: float) -> int:
    """Returns how far ClickHouse has acknowledged."""
    deadline, checkpoint = time.monotonic() + seconds, Checkpoint(connection, CONSUMER)
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
