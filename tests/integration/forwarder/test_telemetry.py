"""What user interfaces report arrives in ClickHouse, each event once, with the time worked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

from cli.bootstrap import System
from domain.events.telemetry import ClientEventsReported
from domain.telemetry import Place, Report, Reported
from infra.clock import utc_now
from infra.postgres.database import Database

from .steps import ME, assert_exactly_once, forward, record, rows_of


def test_reports_become_rows_of_clients_and_the_time_worked_one_of_the_server(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    now, here = utc_now(), Place(1, 7, 11)
    first = Reported("load:job", now - timedelta(seconds=50), 300, here, {"payload": '{"a":1}'})
    events = [first, Reported("user:activity", now, place=here), Reported("draw:object", now, 20, here, {"count": 1})]
    record(system, 5)
    system.app.telemetry.report(ME, Report(now, events), "192.0.2.7")
    record(system, 5)
    forward(log, url)
    assert_exactly_once(log, clickhouse)
    columns = "scope, source, duration, count, task_id, job_id, user_name, remote_addr"
    assert rows_of(clickhouse, columns, "event_type = 'ClientEventsReported'") == [
        ("load:job", "client", 300, None, 7, 11, "ann", "192.0.2.7"),
        ("draw:object", "client", 20, 1, 7, 11, "ann", "192.0.2.7"),
        ("send:working_time", "server", 50_000, 1, 7, 11, "ann", "192.0.2.7"),
    ]


def test_what_happened_long_ago_lands_in_its_month_once(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    now = utc_now()
    system.app.clock = lambda: now  # it may be midnight any moment
    events = [Reported("click:element", now - timedelta(days=days)) for days in (29, 15, 0)]
    record(system, 3)
    system.app.telemetry.report(ME, Report(now, events))
    record(system, 3)
    forward(log, url)
    assert_exactly_once(log, clickhouse)
    days = rows_of(clickhouse, "toDate(timestamp)", "source = 'client'")
    assert [day for (day,) in days] == [(now - timedelta(days=ago)).date() for ago in (29, 15, 0)]


def test_a_report_that_once_added_up_to_more_than_can_be_is_no_dead_letter(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    """As they may stand in a log from before there was a bound."""
    now = utc_now().isoformat()
    place: Any = {"project_id": None, "task_id": 7, "job_id": 801}
    loaded: Any = {"scope": "load:job", "timestamp": now}
    worked: Any = {"timestamp": now, "milliseconds": 8_589_934_590, **place}
    system.app.record(ME, [ClientEventsReported(1, now[:10], [loaded], [worked], None)])
    forward(log, url)
    assert_exactly_once(log, clickhouse)
    ((duration, milliseconds, told),) = rows_of(
        clickhouse,
        "duration, JSONExtractUInt(payload, 'working_time'), (SELECT sum(milliseconds) FROM cvat.working_time)",
        "scope = 'send:working_time'",
    )
    assert duration == milliseconds == told == 2**32 - 1
