"""The kinds of panels that the dashboards are made of, each with its looks decided once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, dashboard, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueColorMode,
    BigValueGraphMode,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
)

Query = Builder[Dataquery]
P = TypeVar("P", bound=Any)


def lines(title: str, queries: Sequence[Query], unit: str, why: str, width: int = 12, height: int = 8) -> Any:
    """Values over time."""
    panel = _over_time(title, queries, unit, why, width, height)
    return panel.draw_style(GraphDrawStyle.LINE).line_width(1).fill_opacity(10).show_points(VisibilityMode.NEVER)


def bars(title: str, queries: Sequence[Query], unit: str, why: str, width: int = 12, height: int = 8) -> Any:
    """Amounts per interval, one upon the other."""
    panel = _over_time(title, queries, unit, why, width, height)
    stacked = common.StackingConfig().mode(StackingMode.NORMAL).group("A")
    return panel.draw_style(GraphDrawStyle.BARS).line_width(0).fill_opacity(80).stacking(stacked)


def number(
    title: str, query: Query, unit: str, why: str, width: int = 4, red_from: float | None = None, height: int = 4
) -> Any:
    """One value. `red_from`: alarming from there on."""
    panel = _placed(stat.Panel(), title, [query], why, width, height).unit(unit).no_value("none")
    steps = [Threshold(value=None, color="green")]
    if red_from is not None:
        steps.append(Threshold(value=red_from, color="red"))
    panel.thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
    reduced = common.ReduceDataOptions().calcs(["lastNotNull"]).fields("/.*/")
    return panel.graph_mode(BigValueGraphMode.NONE).color_mode(BigValueColorMode.VALUE).reduce_options(reduced)


def ranking(title: str, query: Query, unit: str, why: str, width: int = 8, height: int = 8) -> Any:
    """A bar for each row: a text, and how much."""
    panel = _placed(bargauge.Panel(), title, [query], why, width, height).unit(unit).min(0)
    reduced = common.ReduceDataOptions().values(True).fields("").calcs([])
    panel.display_mode(BarGaugeDisplayMode.BASIC).orientation(VizOrientation.HORIZONTAL).reduce_options(reduced)
    return panel.color_scheme(dashboard.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))


def rows(
    title: str, query: Query, why: str, units: dict[str, str] | None = None, width: int = 24, height: int = 9
) -> Any:
    """A table. `units`: column → unit."""
    panel = _placed(table.Panel(), title, [query], why, width, height).filterable(True)
    for column, unit in (units or {}).items():
        panel.override_by_name(column, [DynamicConfigValue(id_val="unit", value=unit)])
    return panel


def _over_time(title: str, queries: Sequence[Query], unit: str, why: str, width: int, height: int) -> Any:
    panel = _placed(timeseries.Panel(), title, queries, why, width, height).unit(unit).min(0)
    panel.tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    legend = common.VizLegendOptions().show_legend(True).display_mode(LegendDisplayMode.LIST)
    return panel.legend(legend.placement(LegendPlacement.BOTTOM).calcs([]))


def _placed(panel: P, title: str, queries: Sequence[Query], why: str, width: int, height: int) -> P:
    panel.title(title).description(why).span(width).height(height)
    source = queries[0].build().to_json()["datasource"]  # type: ignore[attr-defined]
    panel.datasource(source)
    for query in queries:
        panel.with_target(query)
    return panel
