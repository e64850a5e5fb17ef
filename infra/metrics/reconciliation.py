"""The continuous comparison of the log with what a sink holds."""

from __future__ import annotations

from prometheus_client import Gauge

from infra.metrics.registry import METRICS

WRONG_POSITIONS = Gauge(
    "annals_reconciliation_wrong_positions",
    "Events that the last comparison found missing, different or in ClickHouse alone; 0 is good.",
    ("sink",),
    multiprocess_mode="livemostrecent",
    registry=METRICS,
)
POSITION = Gauge(
    "annals_reconciliation_position",
    "Up to which position it compared.",
    ("sink",),
    multiprocess_mode="livemostrecent",
    registry=METRICS,
)
TIMESTAMP = Gauge(
    "annals_reconciliation_timestamp_seconds",
    "When it ended.",
    ("sink",),
    multiprocess_mode="livemostrecent",
    registry=METRICS,
)
