"""Room on the disks of the data folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from infra.metrics.reading import Reading
from infra.settings import Settings

FREE = Reading(
    "annals_disk_free_bytes",
    "Free room where a folder of the data folder lies: each may be a disk of its own.",
    "place",
)
READINGS = (FREE,)


class DiskSpace(Collector):
    """Looked at when it is asked for. Folders that aren't on this machine are left out."""

    def __init__(self, settings: Settings) -> None:
        self._places: dict[str, Path] = {
            "data": settings.data,
            "blobs": settings.blobs,
            "exchange": settings.exchange,
            "uploads": settings.uploads,
            "cache": settings.cache,
            "postgres": settings.postgres,
            "clickhouse": settings.clickhouse,
        }

    def collect(self) -> Iterator[Metric]:
        family = FREE.family()
        for name, folder in self._places.items():
            with suppress(FileNotFoundError):
                family.add_metric((name,), shutil.disk_usage(folder).free)
        yield family
