"""What a client may report, ClickHouse holds as it was reported: cell by cell, whatever the values."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from clickhouse_connect.driver.client import Client
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from consumers.forwarder.batch import Batch
from consumers.forwarder.rows import COLUMNS, table_rows
from consumers.forwarder.sinks.clickhouse import ClickHouseSink
from consumers.forwarder.sources.delivery import Span
from domain.event import Event

from ...unit.reports import REPORTS, recorded
from .steps import LAYOUT

POSITIONS = count(1)
NAMES = [f"toUnixTimestamp64Milli({name})" if name == "timestamp" else name for name in COLUMNS]


def rows_of(event: Event) -> list[tuple[Any, ...]]:
    """At a position of its own."""
    return table_rows(replace(event, position=next(POSITIONS)))


@given(st.lists(REPORTS, min_size=10, max_size=20))
@settings(
    max_examples=5,
    deadline=None,
    phases=(Phase.generate,),  # each example costs an insert
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_report_that_is_taken_stands_in_clickhouse(url: str, clickhouse: Client, bodies: list[Any]) -> None:
    after = next(POSITIONS)
    rows = [row for body in bodies for event in recorded(body) or [] for row in rows_of(event)]
    assume(rows)
    with closing(ClickHouseSink(url, LAYOUT)) as sink:
        sink.migrate()
        span = Span("log", after, next(POSITIONS))
        assert list(sink.insert(Batch(span, datetime(2026, 11, 20, tzinfo=UTC), rows=rows), f"report-{after}")) == []
    held = clickhouse.query(
        f"SELECT {', '.join(NAMES)} FROM cvat.events WHERE position > {after} ORDER BY position, row"
    ).result_rows
    assert [tuple(row) for row in held] == rows
