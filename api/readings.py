"""What `GET /metrics` tells of the whole server, whichever process is asked: read when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from infra.eventlog.followers import followers
from infra.media.cache import ChunkCache
from infra.metrics.reading import Reading
from infra.postgres import verifications
from infra.postgres.database import Database
from projections.named_queries import queries

LOG_POSITION = Reading("annals_log_position", "The last position of the log.")
LAG_EVENTS = Reading("annals_follower_lag_events", "Events that a follower has not acknowledged.", "follower")
LAG_SECONDS = Reading("annals_follower_lag_seconds", "For how long the oldest of them has been in the log.", "follower")
LETTERS = Reading("annals_dead_letters", "Events that a follower could not pass on.", "follower")
WAITING = Reading("annals_queue_waiting", "Requests that wait.", "queue")
OLDEST = Reading("annals_queue_oldest_seconds", "How long the oldest of them has waited.", "queue")
AGENTS = Reading("annals_queue_agents", "Agents that were heard of in the last 30 seconds.", "queue")
DIFFERENCES = Reading("annals_verification_differences", "What the last one found; 0 is good.", "kind")
UNKNOWN = Reading("annals_verification_unknown", "What the last one could not compare; 0 is good.", "kind")
FINISHED = Reading("annals_verification_timestamp_seconds", "When the last one ended.", "kind")
TOOK = Reading("annals_verification_duration_seconds", "How long the last one took.", "kind")
LOOKED = Reading("annals_verification_position", "Up to which position the last one looked.", "kind")
CACHE_BYTES = Reading("annals_chunk_cache_bytes", "Prepared chunks, frames and previews on disk.")
READINGS = (
    LOG_POSITION,
    LAG_EVENTS,
    LAG_SECONDS,
    LETTERS,
    WAITING,
    OLDEST,
    AGENTS,
    DIFFERENCES,
    UNKNOWN,
    FINISHED,
    TOOK,
    LOOKED,
    CACHE_BYTES,
)

HEAD = "SELECT coalesce(max(position), 0) AS head FROM log.events"


class DatabaseReadings(Collector):
    """The log, its followers (those that are in use), the queues and the last verifications. `wanted`: the followers
    that should be at work; None when that is not known.
    """

    def __init__(self, database: Database, wanted: Sequence[str] | None = None) -> None:
        self._database, self._wanted = database, wanted

    def collect(self) -> Iterator[Metric]:
        yield from self._log()
        yield from self._queues()
        yield from self._verifications()

    def _log(self) -> Iterator[Metric]:
        yield LOG_POSITION.single(self._database.query(HEAD)[0]["head"])
        events, seconds, letters = LAG_EVENTS.family(), LAG_SECONDS.family(), LETTERS.family()
        for one in followers(self._database, self._wanted):
            if one.in_use:
                events.add_metric([one.follower], one.events)
                seconds.add_metric([one.follower], one.seconds)
                letters.add_metric([one.follower], one.dead_letters)
        yield from (events, seconds, letters)

    def _queues(self) -> Iterator[Metric]:
        waiting, oldest, agents = WAITING.family(), OLDEST.family(), AGENTS.family()
        for row in self._database.query(queries("requests")["queues"]):
            waiting.add_metric([row["queue"]], row["waiting"])
            oldest.add_metric([row["queue"]], row["oldest_seconds"])
            agents.add_metric([row["queue"]], row["agents"])
        yield from (waiting, oldest, agents)

    def _verifications(self) -> Iterator[Metric]:
        readings = (DIFFERENCES, UNKNOWN, FINISHED, TOOK, LOOKED)
        differences, unknown, finished, took, looked = families = [each.family() for each in readings]
        for row in verifications.last(self._database):
            kind = [row["scope"]]
            differences.add_metric(kind, row["differences"])
            unknown.add_metric(kind, row["unknown"])
            finished.add_metric(kind, row["finished_at"].timestamp())
            took.add_metric(kind, (row["finished_at"] - row["started_at"]).total_seconds())
            looked.add_metric(kind, row["position"])
        yield from families


class CacheReadings(Collector):
    """The chunk cache, which all API processes of one machine share."""

    def __init__(self, chunks: ChunkCache) -> None:
        self._chunks = chunks

    def collect(self) -> Iterator[Metric]:
        yield CACHE_BYTES.single(self._chunks.total_bytes())
