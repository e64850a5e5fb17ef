"""The dashboards that ask ClickHouse, on a simulated campaign."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from cli.bootstrap import connect
from cli.rebuilding import prepare
from infra.clickhouse.client import connect as connect_clickhouse
from infra.clickhouse.process import EndpointProcess
from infra.postgres.embedded import EmbeddedPostgres
from observability.macros import Chosen, View

from ..campaign import simulate
from ..integration.forwarder.steps import PASSWORD, forward, url_of
from .answers import Answers, as_series

PEOPLE, DAYS, EVENTS, SHOWN_AFTER = 12, 3, 20_000, timedelta(minutes=20)


@contextmanager
def clickhouse_with_a_campaign() -> Iterator[tuple[Client, View]]:
    """A client, and the view of those three days. Nothing of it stays."""
    with tempfile.TemporaryDirectory(prefix="annals-pictures-") as folder:
        Path(folder).chmod(0o711)
        with EmbeddedPostgres(Path(folder) / "postgres").attach_or_start() as url:
            prepare(url)
            with closing(connect(url)) as system, EndpointProcess(Path(folder) / "clickhouse", PASSWORD) as endpoint:
                summary = simulate(system, PEOPLE, DAYS, EVENTS)
                forward(system.database, url_of(endpoint))
                assert summary.first is not None
                assert summary.last is not None
                view = View(summary.first, summary.last + SHOWN_AFTER, interval=1_800)
                with closing(connect_clickhouse(url_of(endpoint))) as client:
                    yield client, view


def answer(clickhouse: Client, view: View, dashboard: dict[str, Any], panel: dict[str, Any]) -> Answers:
    """With all variables at `All`, each of which says in SQL what that is."""
    variables = dashboard["templating"].get("list", ())
    chosen = {each["name"]: Chosen(everything=True, all_value=each["allValue"]) for each in variables}
    (target,) = panel["targets"]
    result = clickhouse.query(replace(view, chosen=chosen).expand(target["rawSql"]))
    rows = [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]
    return Answers(series=as_series(rows)) if target["format"] == 0 else Answers(rows=rows)
