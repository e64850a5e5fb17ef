"""Whether the machinery keeps up: what Prometheus scrapes now, and what the log tells of the past."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from observability.boards import board
from observability.panels import bars, lines, number, rows
from observability.sources import Sql, promql, queries

REQUESTS = "sum(rate(annals_http_requests_total[$__rate_interval]))"
LATENCY = (
    "histogram_quantile({share}, sum by (le) (rate(annals_http_request_duration_seconds_bucket[$__rate_interval])))"
)
HITS = (
    'sum(rate(annals_chunk_cache_reads_total{outcome="hit"}[$__rate_interval]))'
    " / sum(rate(annals_chunk_cache_reads_total[$__rate_interval]))"
)
OLDEST = "max(max by (queue) (annals_queue_oldest_seconds)) or vector(0)"
UNSERVED = (
    "count((max by (queue) (annals_queue_waiting) > 0) and (max by (queue) (annals_queue_agents) == 0)) or vector(0)"
)
LAG = 'max(annals_follower_lag_seconds{follower=~"forwarder.*"})'
LETTERS = "sum(max by (follower) (annals_dead_letters))"


def dashboard() -> Dashboard:
    made = board("Operations", "annals-operations", "Requests, queues, agents, lag and errors.", since="now-6h")
    made.with_panel(_now("Requests per second", REQUESTS, "reqps", "Answered by all API processes."))
    made.with_panel(_now("Oldest waiting", OLDEST, "s", "The request that has waited longest, in any queue.", 300))
    made.with_panel(_now("Queues nobody serves", UNSERVED, "short", "Something waits there, and no agent listens.", 1))
    made.with_panel(
        _now("Lag", LAG, "s", "Of the slowest sink, as the log sees it: a forwarder that hangs says nothing.", 60)
    )
    made.with_panel(_now("Dead letters", LETTERS, "short", "Events that a follower could not pass on.", 1))
    made.with_panel(
        _now(
            "Wrong positions", "sum(max by (sink) (annals_reconciliation_wrong_positions))", "short",
            "Positions of which ClickHouse does not hold exactly what the log gives.", 1,
        )
    )  # fmt: skip
    for add in (_requests, _queues, _analytics, _errors):
        add(made)
    return made


def _now(title: str, expression: str, unit: str, why: str, red_from: float | None = None) -> Any:
    return number(title, promql(expression, "", instant=True), unit, why, red_from=red_from)


def _requests(made: Dashboard) -> None:
    made.with_row(Row("Requests"))
    by_status = "sum by (status) (rate(annals_http_requests_total[$__rate_interval]))"
    made.with_panel(bars("Requests by status", [promql(by_status, "{{status}}")], "reqps", "Per second.", width=8))
    shares = [promql(LATENCY.format(share=share), name, n) for n, (share, name) in enumerate(QUANTILES)]
    made.with_panel(lines("Answered within", shares, "s", "Half, 19 of 20 and 99 of 100 requests.", width=8))
    slow = "topk(5, sum by (method, route) (rate(annals_http_request_duration_seconds_sum[$__rate_interval])))"
    made.with_panel(
        lines("Busiest routes", [promql(slow, "{{method}} {{route}}")], "short", "Seconds of work per second.", width=8)
    )
    hits = [promql(HITS, "hits")]
    made.with_panel(lines("Chunk cache hits", hits, "percentunit", "Of the chunks asked for.", width=8))
    size = promql("max(annals_chunk_cache_bytes)", "cache")
    made.with_panel(lines("Chunk cache", [size], "bytes", "On disk.", width=8))
    free = promql("min by (place) (annals_disk_free_bytes)", "{{place}}")
    made.with_panel(lines("Free on disk", [free], "bytes", "By place.", width=8))


QUANTILES = [("0.5", "half"), ("0.95", "95 %"), ("0.99", "99 %")]


def _queues(made: Dashboard) -> None:
    sql = queries("operations")
    made.with_row(Row("Queues and agents"))
    made.with_panel(_by("queue", lines, "Waiting now", "max by (queue) (annals_queue_waiting)", "short", "Requests."))
    made.with_panel(_by("queue", lines, "Oldest", "max by (queue) (annals_queue_oldest_seconds)", "s", "Waiting."))
    made.with_panel(_by("queue", lines, "Agents", "max by (queue) (annals_queue_agents)", "short", "That listen."))
    expiries = "sum by (queue) (increase(annals_lease_expiries_total[$__rate_interval]))"
    made.with_panel(_by("queue", bars, "Leases expired", expiries, "short", "Agents that stopped while at work."))
    waited = [Sql(sql["queue_depth"], True)]
    made.with_panel(lines("Waiting, as the log has it", waited, "short", "The most at once, per interval.", width=8))
    made.with_panel(
        bars("Events recorded", [Sql(sql["recorded"], True)], "ops", "Per second, by what they are about.", width=8)
    )
    seconds = dict.fromkeys(("waited (median)", "waited (95 %)", "worked on (median)", "worked on (95 %)"), "s")
    made.with_panel(rows("What agents did", Sql(sql["durations"]), "From the log.", seconds, height=5))


def _analytics(made: Dashboard) -> None:
    made.with_row(Row("Followers of the log"))
    position = promql("max(rate(annals_log_position[$__rate_interval]))", "events")
    made.with_panel(lines("Log", [position], "ops", "Events appended per second.", width=8))
    behind = [
        promql("max by (follower) (annals_follower_lag_events)", "{{follower}}"),
        promql("max by (sink) (annals_forwarder_lag_events)", "to {{sink}}", 1),
    ]
    made.with_panel(lines("Events behind", behind, "short", "Followers and sinks.", width=8))
    late = [
        promql("max by (follower) (annals_follower_lag_seconds)", "{{follower}}"),
        promql("max by (sink) (annals_forwarder_lag_seconds)", "to {{sink}}", 1),
    ]
    made.with_panel(lines("Seconds behind", late, "s", "Age of the oldest event that is not there yet.", width=8))
    stages = "sum by (sink, stage) (rate(annals_forwarder_events_total[$__rate_interval]))"
    made.with_panel(lines("Forwarder", [promql(stages, "{{sink}} {{stage}}")], "ops", "Events by stage.", width=8))
    held = "sum by (sink, where) (annals_forwarder_buffer_events)"
    made.with_panel(lines("Buffers", [promql(held, "{{sink}} {{where}}")], "short", "Events held.", width=8))
    wrong = "max by (kind) (annals_verification_differences)"
    made.with_panel(lines("Verification", [promql(wrong, "{{kind}}")], "short", "Differences found.", width=8))


def _errors(made: Dashboard) -> None:
    sql = queries("operations")
    made.with_row(Row("Errors"))
    kinds = "sum by (sink, kind) (increase(annals_forwarder_errors_total[$__rate_interval]))"
    relay = "sum(increase(annals_relay_errors_total[$__rate_interval]))"
    both = [promql(kinds, "{{sink}}: {{kind}}"), promql(relay, "relay", 1)]
    made.with_panel(bars("Forwarder and relay", both, "short", "Errors; they try again.", width=12))
    made.with_panel(rows("Failed requests", Sql(sql["failures"]), "And why.", width=12, height=8))
    made.with_panel(rows("Exceptions", Sql(sql["exceptions"]), "That people and agents met.", height=6))


def _by(label: str, kind: Callable[..., Any], title: str, expression: str, unit: str, why: str) -> Any:
    return kind(title, [promql(expression, f"{{{{{label}}}}}")], unit, why, width=8)
