"""The relay from the log to Kafka."""

from __future__ import annotations

from prometheus_client import Counter

from infra.metrics.registry import METRICS

EVENTS = Counter("annals_relay_events_total", "Events that Kafka has acknowledged.", registry=METRICS)
ERRORS = Counter("annals_relay_errors_total", "Times that Kafka refused or did not answer.", registry=METRICS)
