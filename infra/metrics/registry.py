"""The metrics that are declared here, and the text that Prometheus reads."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, disable_created_metrics, generate_latest, values
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from infra.metrics.sharing import own_name, shared_folder

CONTENT_TYPE = CONTENT_TYPE_LATEST

disable_created_metrics()  # type: ignore[no-untyped-call]
if own_name() is not None:
    # Looked at as each metric is declared; all of them are declared with METRICS, so after this.
    values.ValueClass = values.MultiProcessValue(own_name)  # type: ignore[no-untyped-call]

METRICS = CollectorRegistry(auto_describe=False)
"""Everything that this process has declared."""


def exposition(*readings: Collector) -> bytes:
    """What was counted here (by all processes that share a folder), and `readings`, which are taken now."""
    registry = CollectorRegistry(auto_describe=False)
    folder = shared_folder()
    if folder is None:
        registry.register(METRICS)
        ProcessCollector(registry=registry)
    else:
        MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    for reading in readings:
        registry.register(reading)
    return generate_latest(registry)
