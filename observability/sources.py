"""Where panels ask: ClickHouse through Grafana's plugin for it, and Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from projections.named_queries import named

CLICKHOUSE = DataSourceRef(type_val="grafana-clickhouse-datasource", uid="annals-clickhouse")
PROMETHEUS = DataSourceRef(type_val="prometheus", uid="annals-prometheus")
QUERIES = Path(__file__).parent / "queries"


@cache
def queries(dashboard: str) -> Mapping[str, str]:
    """Name → statement, of one dashboard."""
    return named((QUERIES / f"{dashboard}.sql").read_text())


@dataclass
class Sql(Builder[Dataquery], Dataquery):
    """A query as the plugin's editor saves it. `series`: its first column is the time, and texts name the series."""

    statement: str
    series: bool = False

    def build(self) -> Sql:
        return self

    def to_json(self) -> dict[str, Any]:
        return {
            "datasource": CLICKHOUSE,
            "editorType": "sql",
            "format": 0 if self.series else 1,
            "queryType": "timeseries" if self.series else "table",
            "rawSql": self.statement,
            "refId": "A",
        }


def promql(expression: str, legend: str, number: int = 0, *, instant: bool = False) -> prometheus.Dataquery:
    """`legend`: Grafana's, `{{label}}`. `number`: of the query in its panel, from 0."""
    query = prometheus.Dataquery().datasource(PROMETHEUS).expr(expression).legend_format(legend)
    return (query.instant() if instant else query.range()).ref_id("ABCDEFGH"[number])
