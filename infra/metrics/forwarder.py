"""The forwarder: each sink and what flows to it."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

from infra.metrics.registry import METRICS

EVENTS = Counter(
    "annals_forwarder_events_total",
    "Events by what was done with them: `read`, `transformed`, `sent`, `acknowledged`.",
    ("sink", "stage"),
    registry=METRICS,
)
ROWS = Counter("annals_forwarder_rows_total", "Rows that the sink has taken.", ("sink",), registry=METRICS)
BATCHES = Counter("annals_forwarder_batches_total", "Batches that the sink has taken.", ("sink",), registry=METRICS)
ERRORS = Counter(
    "annals_forwarder_errors_total",
    "What went wrong: `passing` is tried again, `refused` and `unreadable` became dead letters.",
    ("sink", "kind"),
    registry=METRICS,
)
BUFFER_EVENTS = Gauge(
    "annals_forwarder_buffer_events",
    "Events that wait for the sink, in `memory` or on `disk`.",
    ("sink", "where"),
    multiprocess_mode="livesum",
    registry=METRICS,
)
BUFFER_BYTES = Gauge(
    "annals_forwarder_buffer_bytes",
    "Their size.",
    ("sink", "where"),
    multiprocess_mode="livesum",
    registry=METRICS,
)
LAG_EVENTS = Gauge(
    "annals_forwarder_lag_events",
    "Events that the sink has not acknowledged.",
    ("sink",),
    multiprocess_mode="livemax",
    registry=METRICS,
)
LAG_SECONDS = Gauge(
    "annals_forwarder_lag_seconds",
    "For how long the oldest of them has been in the log.",
    ("sink",),
    multiprocess_mode="livemax",
    registry=METRICS,
)
