"""What a topology leaves out of the rows is no difference to the log."""

from __future__ import annotations

from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from cli.bootstrap import System
from consumers.forwarder.reconciler import Reconciler
from consumers.forwarder.topology import Route, Topology
from infra.postgres.database import Database

from ...waiting import wait_until
from .steps import compared, count, delete, forwarded, forwarding, means, record


def redacted(**how: Any) -> Route:
    transforms = {"some": {"type": "redact", "input": "log", **how}}
    sinks = {"clickhouse": {"type": "clickhouse", "input": "some"}}
    topology = {"sources": {"log": {"type": "log"}}, "transforms": transforms, "sinks": sinks}
    return Topology.model_validate(topology).route("clickhouse")


@pytest.mark.parametrize("how", [{"people": True}, {"columns": ["stream"]}])
def test_rows_without_streams_are_proved_and_not_sent_anew(
    how: dict[str, Any], system: System, log: Database, url: str, clickhouse: Client
) -> None:
    along = redacted(**how)
    record(system, 300)
    reconciler = Reconciler(along, means(log, url), 60.0)
    with forwarding(log, url, along):
        wait_until(lambda: forwarded(log))
        found = reconciler.look()
        assert (found and found.equal, found and found.held) == (True, 300)
    rows = count(clickhouse)
    with forwarding(log, url, along) as again:
        wait_until(lambda: again.status.snapshot().state == "forwarding")
    assert (again.status.snapshot().events, count(clickhouse)) == (0, rows)
    delete(clickhouse, "position = 7")
    assert compared(log, clickhouse, along).difference == "position 7 is missing in ClickHouse"
    clickhouse.command(
        "ALTER TABLE cvat.events UPDATE event_type = 'Another' WHERE position = 5", settings={"mutations_sync": 2}
    )
    assert compared(log, clickhouse, along).first_wrong == 7
    with forwarding(log, url, along):
        wait_until(lambda: compared(log, clickhouse, along).equal)
    assert count(clickhouse) == rows
