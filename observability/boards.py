"""What all dashboards share: their look, and the variables that narrow them down."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard, QueryVariable
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from observability.sources import CLICKHOUSE, queries

ALL_IDS = "0"
"""What an id variable stands for when everything is meant: no id is 0."""
ALL_TEXTS = "''"


def board(title: str, uid: str, why: str, since: str = "now-7d") -> Dashboard:
    new = Dashboard(title).uid(uid).description(why).tags(["annals"]).timezone("utc").editable()
    return new.time(since, "now").refresh("1m").tooltip(DashboardCursorSync.CROSSHAIR)


def id_variable(name: str, label: str, dashboard: str = "variables") -> QueryVariable:
    """Its query gives ids and what people call them. In SQL: `(0 IN (${name:csv}) OR … IN (${name:csv}))`."""
    return _variable(name, label, dashboard, ALL_IDS)


def text_variable(name: str, label: str, dashboard: str = "variables") -> QueryVariable:
    """Its query gives texts. In SQL: `('' IN (${name:sqlstring}) OR … IN (${name:sqlstring}))`."""
    return _variable(name, label, dashboard, ALL_TEXTS)


def _variable(name: str, label: str, dashboard: str, everything: str) -> QueryVariable:
    variable = QueryVariable(name).label(label).datasource(CLICKHOUSE).query(queries(dashboard)[name])
    variable.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.DISABLED)
    variable.multi(True).include_all(True).all_value(everything)
    return variable.current(VariableOption(selected=True, text=["All"], value=["$__all"]))
