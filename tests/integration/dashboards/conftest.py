"""A campaign in ClickHouse, and Grafana's way of asking about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from cli.bootstrap import connect
from infra.clickhouse.client import connect as connect_clickhouse
from infra.clickhouse.process import EndpointProcess
from observability.macros import Chosen, View
from observability.output import DASHBOARDS

from ...campaign import Summary, simulate
from ..databases import new_database
from ..forwarder.steps import PASSWORD, forward, url_of

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Grafana:
    """Asks as its plugin does. `view`: from before the campaign until after it, with everything chosen."""

    clickhouse: Client
    summary: Summary
    view: View

    def ask(self, query: str, **chosen: Chosen) -> Rows:
        """`chosen`: instead of everything."""
        view = replace(self.view, chosen={**self.view.chosen, **chosen})
        result = self.clickhouse.query(view.expand(query))
        return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]


@pytest.fixture(scope="session")
def grafana(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grafana]:
    folder = tmp_path_factory.mktemp("clickhouse")
    with new_database(postgres) as database, closing(connect(database)) as system:
        summary = simulate(system, people=8, days=2, events=5_000)
        with EndpointProcess(folder, PASSWORD) as endpoint:
            forward(system.database, url_of(endpoint))
            with closing(connect_clickhouse(url_of(endpoint))) as client:
                assert summary.first is not None
                assert summary.last is not None
                since, until = summary.first - timedelta(hours=1), summary.last + timedelta(hours=1)
                yield Grafana(client, summary, View(since, until, interval=1_800))


@pytest.fixture
def dashboard(request: pytest.FixtureRequest, grafana: Grafana) -> Dashboard:
    """The committed one that the module is about: it says so in `DASHBOARD`."""
    return Dashboard(grafana, read(DASHBOARDS / f"{request.module.DASHBOARD}.json"))


@dataclass(frozen=True)
class Dashboard:
    """A dashboard with all its variables at `All`."""

    grafana: Grafana
    json: Any

    @property
    def variables(self) -> dict[str, Any]:
        return {variable["name"]: variable for variable in self.json["templating"].get("list", [])}

    def everything(self) -> dict[str, Chosen]:
        """All of each variable. One that says what `All` is needs no list."""
        chosen: dict[str, Chosen] = {}
        for name, variable in self.variables.items():
            if variable.get("allValue"):
                chosen[name] = Chosen(everything=True, all_value=variable["allValue"])
        for name in self.variables.keys() - chosen.keys():
            chosen[name] = Chosen(self.options(name, **chosen), everything=True)
        return chosen

    def options(self, name: str, **chosen: Chosen) -> list[str]:
        """The values of a variable."""
        rows = self.grafana.ask(self.variables[name]["query"], **chosen)
        return [str(next(iter(row.values()))) for row in rows]

    def queries(self, title: str) -> list[str]:
        (panel,) = [panel for panel in self.json["panels"] if panel["title"] == title and panel["type"] != "row"]
        return [target["rawSql"] for target in panel["targets"] if "rawSql" in target]

    def asked(self, title: str, **chosen: Chosen) -> Rows:
        """The rows of a panel."""
        (query,) = self.queries(title)
        return self.grafana.ask(query, **{**self.everything(), **chosen})

    def value(self, title: str, **chosen: Chosen) -> Any:
        """Of a panel that shows one."""
        ((value,),) = [list(row.values()) for row in self.asked(title, **chosen)]
        return value


def read(path: Path) -> Any:
    return json.loads(path.read_text())
