"""No report that is taken makes a row that a sink can't take."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings

from consumers.forwarder.batch import TIMESTAMP, Batch
from consumers.forwarder.rows import COLUMNS, table_rows
from consumers.forwarder.sinks.files import FileSink
from consumers.forwarder.sources.delivery import Span
from infra.clickhouse.encoding import Encoder

from .reports import NOON, REPORTS, recorded

ENCODER = Encoder(COLUMNS)
OVERFLOWING = [
    {"scope": "change:frame", "timestamp": time, "duration": 2**32 - 1, "job_id": 801}
    for time in (NOON, "2027-01-09T05:02:47.295Z")
]


@given(REPORTS)
@example({"timestamp": NOON, "events": OVERFLOWING})
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_every_report_that_is_taken_becomes_rows_that_every_sink_takes(tmp_path: Path, body: dict[str, Any]) -> None:
    pytest.importorskip("pyarrow")
    parquet, lines = FileSink(tmp_path, "parquet"), FileSink(tmp_path, "jsonl")
    events = recorded(body)
    assert events is not None
    for event in events:
        rows = table_rows(event)
        assert ENCODER.encode(rows).rows == len(rows)
        batch = Batch(Span("log", 0, 1), datetime(2026, 11, 20, tzinfo=UTC), (2026, 11), rows=rows)
        assert [*parquet.insert(batch, "a token"), *lines.insert(batch, "a token")] == []
        months = {datetime.fromtimestamp(row[TIMESTAMP] / 1_000, UTC).month for row in rows}
        assert len(months) == 1
