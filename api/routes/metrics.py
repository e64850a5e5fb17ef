"""`GET /metrics`, for Prometheus. Everything comes from the database, so each process tells the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from api.caller import caller
from api.services import services
from domain.errors import Forbidden
from infra.postgres import verifications
from infra.postgres.database import Database
from projections.named_queries import queries

router = APIRouter(tags=["server"])


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """The log, its followers, the queues and the last verifications, in Prometheus' text format. For admins."""
    if not caller(request).actor.is_admin:
        raise Forbidden
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Readings(services(request).database))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Readings(Collector):
    """Taken when they are asked for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterator[Metric]:
        yield from self._log()
        yield from self._queues()
        yield from self._verifications()

    def _log(self) -> Iterator[Metric]:
        head = self._one("SELECT coalesce(max(position), 0) AS value FROM log.events")
        yield GaugeMetricFamily("annals_log_position", "The last position of the log.", head)
        lag = _family("annals_follower_lag_events", "Events that a follower has not acknowledged.", "follower")
        rows = self._database.query(
            "SELECT consumer, position FROM log.checkpoints WHERE consumer NOT LIKE '%%:%%'", {}
        )
        for row in rows:
            lag.add_metric([row["consumer"]], max(head - row["position"], 0))
        yield lag

    def _queues(self) -> Iterator[Metric]:
        waiting = _family("annals_queue_waiting", "Requests that wait.", "queue")
        oldest = _family("annals_queue_oldest_seconds", "How long the oldest of them has waited.", "queue")
        agents = _family("annals_queue_agents", "Agents that were heard of in the last 30 seconds.", "queue")
        for row in self._database.query(queries("requests")["queues"]):
            waiting.add_metric([row["queue"]], row["waiting"])
            oldest.add_metric([row["queue"]], row["oldest_seconds"])
            agents.add_metric([row["queue"]], row["agents"])
        yield from (waiting, oldest, agents)

    def _verifications(self) -> Iterator[Metric]:
        differences = _family("annals_verification_differences", "What the last one found; 0 is good.", "kind")
        finished = _family("annals_verification_timestamp_seconds", "When the last one ended.", "kind")
        seconds = _family("annals_verification_duration_seconds", "How long the last one took.", "kind")
        position = _family("annals_verification_position", "Up to which position the last one looked.", "kind")
        for row in verifications.last(self._database):
            kind = ["quick" if row["quick"] else "whole"]
            differences.add_metric(kind, row["differences"])
            finished.add_metric(kind, row["finished_at"].timestamp())
            seconds.add_metric(kind, (row["finished_at"] - row["started_at"]).total_seconds())
            position.add_metric(kind, row["position"])
        yield from (differences, finished, seconds, position)

    def _one(self, statement: str) -> Any:
        return (self._database.query_one(statement) or {"value": 0})["value"]


def _family(name: str, what: str, label: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, what, labels=[label])
