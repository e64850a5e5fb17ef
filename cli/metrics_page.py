"""The page of docs/reference that says what `GET /metrics` tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import NamedTuple

from prometheus_client.metrics import MetricWrapperBase

from api import readings
from infra.metrics import agents, chunks, disk, forwarder, http, reconciliation, relay

INTRODUCTION = """\
`GET /metrics` of the API tells all of this in Prometheus' text format, to admins and to whoever sends the bearer token
of `ANNALS_METRICS_TOKEN`. Whichever API process of an `annals serve` is asked, it tells what all processes of that
server have counted, also those that have died since; counters begin at 0 when the server starts. An agent, a relay or a
forwarder that was started by itself tells its own at `ANNALS_METRICS_PORT`, where `GET /health` answers 200 when it can
do its work, and 503 with the reasons when it can't; an API process that was started by itself tells what it has counted
alone. Who was started by itself also tells what Prometheus' client knows of a process (`process_resident_memory_bytes`,
`process_cpu_seconds_total` …).
"""
COUNTED: tuple[ModuleType, ...] = (http, chunks, agents, forwarder, reconciliation, relay)
READ: tuple[ModuleType, ...] = (readings, disk)


class Line(NamedTuple):
    """One metric."""

    name: str
    kind: str
    labels: tuple[str, ...]
    what: str


def page(generated: str) -> str:
    """Every metric with its labels and its meaning."""
    lines = ["# Metrics\n", generated, INTRODUCTION, "## Counted by the processes\n", *_table(counted())]
    lines += ["\n## Read when they are asked for\n", *_table(read())]
    return "\n".join([*lines, ""])


def counted() -> Iterator[Line]:
    """What the modules of infra/metrics declare."""
    for module in COUNTED:
        for metric in vars(module).values():
            if isinstance(metric, MetricWrapperBase) and not metric._labelvalues:  # not one of a family's own
                [told] = metric.describe()
                suffix = "_total" if told.type == "counter" else ""
                yield Line(told.name + suffix, told.type, tuple(metric._labelnames), told.documentation)


def read() -> Iterator[Line]:
    """What the API and the other roles look up."""
    for module in READ:
        for reading in module.READINGS:
            yield Line(reading.name, "gauge", (reading.label,) if reading.label else (), reading.what)


def _table(lines: Iterable[Line]) -> Iterator[str]:
    yield from ("| metric | kind | labels | what it is |", "|---|---|---|---|")
    for line in lines:
        labels = ", ".join(f"`{label}`" for label in line.labels)
        yield f"| `{line.name}` | {line.kind} | {labels} | {line.what} |"
