"""How the tables in ClickHouse are laid out: what differs between one machine and a cluster."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

from infra.settings import Settings

Partition = Literal["month", "year", "none"]

_PARTITIONS: dict[Partition, str] = {"month": "toYYYYMM(timestamp)", "year": "toYear(timestamp)", "none": "tuple()"}


@dataclass(frozen=True)
class Layout:
    """`cluster`: on whose servers every table is, None for one server. `replicated`: whether these servers keep copies
    of each other; they need a cluster. `ttl_days`: rows of `events` go so many days after the end of their month.
    `partition_by`: of new tables; those that are there stay as they are.

    Partitions are months or coarser, because a batch of the forwarder is of one month, and only an insert into one
    partition is taken whole or not at all.
    """

    database: str = "cvat"
    cluster: str | None = None
    replicated: bool = False
    ttl_days: int | None = None
    partition_by: Partition = "month"

    def __post_init__(self) -> None:
        if self.replicated and self.cluster is None:
            raise ValueError("Replicated tables need the name of their cluster (ANNALS_CLICKHOUSE_CLUSTER)")
        if self.partition_by not in get_args(Partition):
            raise ValueError(f"Tables are partitioned by month, year or none, not by {self.partition_by}")

    @classmethod
    def of(cls, settings: Settings) -> Layout:
        return cls(
            cluster=settings.clickhouse_cluster,
            replicated=settings.clickhouse_replicated,
            ttl_days=settings.clickhouse_ttl_days,
            partition_by=settings.clickhouse_partition,
        )

    def beside(self, database: str) -> Layout:
        """The same tables in another database of the same servers."""
        return replace(self, database=database)

    @property
    def on_cluster(self) -> str:
        return f"ON CLUSTER `{self.cluster}`" if self.cluster else ""

    @property
    def ttl(self) -> str | None:
        """When a row of `events` goes, as ClickHouse writes it back. All rows of one event go at once: they are of one
        month.
        """
        if self.ttl_days is None:
            return None
        return f"(toStartOfMonth(timestamp) + toIntervalMonth(1)) + toIntervalDay({self.ttl_days})"

    @property
    def names(self) -> dict[str, str]:
        """What the migrations leave open."""
        return {
            "database": self.database,
            "on_cluster": self.on_cluster,
            "engine": self._engine,
            "partition": _PARTITIONS[self.partition_by],
            "deduplication": self._deduplication,
        }

    @property
    def _engine(self) -> str:
        if not self.replicated:
            return "ReplacingMergeTree"
        # By UUID, which all servers of a cluster share and which tables keep when they are exchanged: a path with the
        # table's name would be taken when the next rebuild makes a table of that name.
        return "ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{uuid}', '{replica}')"

    @property
    def _deduplication(self) -> str:
        kind = "replicated" if self.replicated else "non_replicated"
        return f"{kind}_deduplication_window = 10000"


DEFAULT = Layout()


def expired_before(layout: Layout, now: datetime) -> datetime | None:
    """Rows of `events` from before this moment, the first of a month, may go by the TTL; all later ones stay. None:
    nothing ever goes.
    """
    if layout.ttl_days is None:
        return None
    kept = now.astimezone(UTC) - timedelta(days=layout.ttl_days)
    return kept.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
