"""Requests to the API."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import Counter, Histogram

from infra.metrics.registry import METRICS

REQUESTS = Counter(
    "annals_http_requests_total",
    "Requests that were answered, by method, route (as declared, never a path as it came) and status.",
    ("method", "route", "status"),
    registry=METRICS,
)
SECONDS = Histogram(
    "annals_http_request_duration_seconds",
    "How long they took, from the first byte to the last.",
    ("method", "route"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=METRICS,
)


_Counting = tuple[Callable[[], None], Callable[[float], None]]

# Looking a child up by its labels costs as much as counting.
_known: dict[tuple[str, str, int], _Counting] = {}


def answered(method: str, route: str, status: int, seconds: float) -> None:
    """One request. `method` and `route` come from a bounded set."""
    counted = _known.get((method, route, status))
    if counted is None:
        requests, durations = REQUESTS.labels(method, route, status), SECONDS.labels(method, route)
        counted = _known[method, route, status] = (requests.inc, durations.observe)
    count, observe = counted
    count()
    observe(seconds)
