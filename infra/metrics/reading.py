"""A gauge that is read from elsewhere at the moment it is asked for."""

from __future__ import annotations

from typing import NamedTuple

from prometheus_client.metrics_core import GaugeMetricFamily


class Reading(NamedTuple):
    """What it is called, what it means, and the one label that it may have."""

    name: str
    what: str
    label: str | None = None

    def family(self) -> GaugeMetricFamily:
        """To be filled."""
        return GaugeMetricFamily(self.name, self.what, labels=[] if self.label is None else [self.label])

    def single(self, value: float) -> GaugeMetricFamily:
        """Of one without a label."""
        return GaugeMetricFamily(self.name, self.what, value)
