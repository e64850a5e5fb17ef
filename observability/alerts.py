"""What somebody should be woken for. One list; Prometheus' rules and Grafana's are written from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from observability.sources import PROMETHEUS

Severity = Literal["critical", "warning"]
OPERATORS: Mapping[str, str] = {"gt": ">", "lt": "<"}
GIB = 2**30


@dataclass(frozen=True)
class Alert:
    """`expression`: a value for each thing that may be wrong; it is when that is `comparison` (gt, lt) `threshold` for
    so long (`lasting`, Prometheus' form). `summary`: which, and how bad; `advice`: what to do.
    """

    name: str
    expression: str
    comparison: Literal["gt", "lt"]
    threshold: float
    lasting: str
    severity: Severity
    summary: str
    advice: str


ALERTS = (
    Alert(
        "QueueWithoutAgents",
        "max by (queue) (annals_queue_waiting) unless on (queue) (max by (queue) (annals_queue_agents) > 0)",
        "gt", 0, "1m", "critical",
        "{{ $value }} requests wait in the queue {{ $labels.queue }}, and no agent listens",
        "Start one: `annals agent --queue {{ $labels.queue }}`.",
    ),
    Alert(
        "RequestWaitsTooLong",
        "max by (queue) (annals_queue_oldest_seconds)",
        "gt", 600, "2m", "warning",
        "A request in the queue {{ $labels.queue }} has waited for {{ $value | humanizeDuration }}",
        "More agents for this queue help, unless one request blocks the agents: look at what is running.",
    ),
    Alert(
        "FollowerLagsInSeconds",
        "max by (follower) (annals_follower_lag_seconds)",
        "gt", 60, "2m", "warning",
        "{{ $labels.follower }} is {{ $value | humanizeDuration }} behind the log",
        "Is it running? `annals forward status` says what it waits for. Nothing is lost: it goes on where it stopped.",
    ),
    Alert(
        "FollowerLagsInEvents",
        "max by (follower) (annals_follower_lag_events)",
        "gt", 100_000, "10m", "warning",
        "{{ $labels.follower }} is {{ $value | humanize }} events behind the log",
        "It is slower than what is recorded. A second forwarder takes half of the Kafka partitions.",
    ),
    Alert(
        "SinkLags",
        "max by (sink) (annals_forwarder_lag_seconds)",
        "gt", 60, "2m", "warning",
        "The sink {{ $labels.sink }} is {{ $value | humanizeDuration }} behind its source",
        "Does the sink take batches? The forwarder's log says what it answers.",
    ),
    Alert(
        "DeadLetters",
        "max by (follower) (annals_dead_letters)",
        "gt", 0, "0m", "warning",
        "{{ $labels.follower }} has set aside {{ $value }} events that it could not pass on",
        "`annals forward dead-letters list` says why; mend that, then `annals forward dead-letters retry`.",
    ),
    Alert(
        "VerificationFailed",
        "max by (kind) (annals_verification_differences)",
        "gt", 0, "0m", "critical",
        "The {{ $labels.kind }} verification found {{ $value }} differences from the log",
        "`annals verify` names the first one; `annals replay` builds the tables anew.",
    ),
    Alert(
        "VerificationUnknown",
        "max by (kind) (annals_verification_unknown)",
        "gt", 0, "0m", "warning",
        "The {{ $labels.kind }} verification could not compare everything",
        "`annals verify` says why: as a rule ClickHouse did not answer. Nothing is known to be wrong.",
    ),
    Alert(
        "ReconciliationWrong",
        "max by (sink) (annals_reconciliation_wrong_positions)",
        "gt", 0, "5m", "critical",
        "{{ $labels.sink }} holds {{ $value }} events otherwise than the log has them",
        "`annals verify --clickhouse` names the first one; `annals forward repair` sends anew what differs.",
    ),
    Alert(
        "ServerErrors",
        'sum(rate(annals_http_requests_total{status=~"5.."}[5m])) / sum(rate(annals_http_requests_total[5m]))',
        "gt", 0.01, "5m", "critical",
        "{{ $value | humanizePercentage }} of the requests end with an error of the server",
        "The API's log has them under their correlation ids.",
    ),
    Alert(
        "TooManyRequests",
        'sum(rate(annals_http_requests_total{status="429"}[5m])) / sum(rate(annals_http_requests_total[5m]))',
        "gt", 0.05, "5m", "warning",
        "{{ $value | humanizePercentage }} of the requests are answered with 429",
        "The answer says why: as a rule chunks wait for agents. More agents for that queue help.",
    ),
    Alert(
        "DiskAlmostFull",
        "min by (instance, place) (annals_disk_free_bytes)",
        "lt", 10 * GIB, "5m", "critical",
        "{{ $value | humanize1024 }}B are free where {{ $labels.place }} lies, on {{ $labels.instance }}",
        "A full disk stops uploads, then everything. The chunk cache can be made smaller at any time.",
    ),
    Alert(
        "DiskFullTomorrow",
        "min by (instance, place) (predict_linear(annals_disk_free_bytes[6h], 86400))",
        "lt", 0, "30m", "warning",
        "The disk of {{ $labels.place }} on {{ $labels.instance }} will be full within a day",
        "It fills at the rate of the last six hours.",
    ),
    Alert(
        "LeasesExpire",
        "sum by (queue) (increase(annals_lease_expiries_total[15m]))",
        "gt", 3, "0m", "warning",
        "{{ $value | humanize }} agents of the queue {{ $labels.queue }} stopped while at work, in 15 minutes",
        "What they worked on is tried again, five times at most. Do they run out of memory?",
    ),
    Alert(
        "SinkRefuses",
        'sum by (sink) (increase(annals_forwarder_errors_total{kind="refused"}[15m]))',
        "gt", 0, "0m", "warning",
        "The sink {{ $labels.sink }} refused {{ $value | humanize }} batches",
        "What it refuses for good becomes dead letters.",
    ),
    Alert(
        "RelayFails",
        "sum(increase(annals_relay_errors_total[15m]))",
        "gt", 10, "0m", "warning",
        "The relay to Kafka failed {{ $value | humanize }} times in 15 minutes",
        "It tries again and loses nothing. Do the brokers answer, and are enough replicas in sync?",
    ),
    Alert(
        "TargetDown",
        'min by (job, instance) (up{job=~"annals-.*"})',
        "lt", 1, "2m", "critical",
        "{{ $labels.instance }} ({{ $labels.job }}) does not answer",
        "Is it running? With a wrong token it answers 401, and Prometheus' page of targets says so.",
    ),
    Alert(
        "TargetGone",
        'absent(up{job="annals-api"}) or '
        '(group by (job) (max_over_time(up{job=~"annals-.*"}[1d])) unless group by (job) (up{job=~"annals-.*"}))',
        "gt", 0, "2m", "critical",
        "There is no process of {{ $labels.job }} any more",
        "Start one. Of one that was taken away for good this goes on for a day.",
    ),
)  # fmt: skip


def prometheus_rules() -> dict[str, Any]:
    """What Prometheus reads."""
    return {"groups": [{"name": "annals", "rules": [_prometheus(alert) for alert in ALERTS]}]}


def grafana_rules() -> dict[str, Any]:
    """What Grafana provisions: for those who have its alerting instead of Alertmanager."""
    group = {"orgId": 1, "name": "annals", "folder": "Annals", "interval": "1m", "rules": [_grafana(a) for a in ALERTS]}
    return {"apiVersion": 1, "groups": [group]}


def _prometheus(alert: Alert) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": f"({alert.expression}) {OPERATORS[alert.comparison]} {alert.threshold}",
        "for": alert.lasting,
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.summary, "description": alert.advice},
    }


def _grafana(alert: Alert) -> dict[str, Any]:
    asked = {"refId": "A", "expr": alert.expression, "instant": True, "range": False}
    compared = {
        "refId": "B",
        "type": "threshold",
        "expression": "A",
        "conditions": [{"evaluator": {"type": alert.comparison, "params": [alert.threshold]}}],
    }
    return {
        "uid": f"annals-{alert.name.lower()}",
        "title": alert.name,
        "condition": "B",
        "data": [_step("A", PROMETHEUS.uid, asked), _step("B", "__expr__", compared)],
        "for": alert.lasting,
        # Of what does not happen there is no series.
        "noDataState": "OK",
        "execErrState": "Error",
        "labels": {"severity": alert.severity},
        "annotations": {"summary": _in_grafana(alert.summary), "description": _in_grafana(alert.advice)},
    }


def _step(ref_id: str, source: str | None, model: dict[str, Any]) -> dict[str, Any]:
    return {"refId": ref_id, "relativeTimeRange": {"from": 600, "to": 0}, "datasourceUid": source, "model": model}


def _in_grafana(template: str) -> str:
    """Grafana's `$value` is a text about all steps; the number is the step's."""
    return template.replace("$value", "$values.A.Value")
