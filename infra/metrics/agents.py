"""Agents and what they hold."""

from __future__ import annotations

from prometheus_client import Counter

from infra.metrics.registry import METRICS

LEASE_EXPIRIES = Counter(
    "annals_lease_expiries_total",
    "Requests that were taken from an agent that had been silent for too long, or that it gave back unfinished.",
    ("queue",),
    registry=METRICS,
)
