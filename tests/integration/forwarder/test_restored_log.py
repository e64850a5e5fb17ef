"""A log that was restored from a backup, by way of Kafka: what it has lost goes from ClickHouse, and what it got since
is there, however alike it looks.
"""

from __future__ import annotations

from typing import LiteralString

import pytest
from clickhouse_connect.driver.client import Client

from cli.bootstrap import System
from consumers.forwarder.means import Means
from consumers.forwarder.mending.by_hand import mend
from domain.event import Body
from domain.events.job import JobAssigned
from domain.events.telemetry import ClientEvent, ClientEventsReported
from infra.postgres.database import Database

from ...kafka.fixtures import kafka, kafka_configuration
from ..kafka.harms import CUT
from ..kafka.steps import relay_all, relayed, restore
from .steps import ME, assert_exactly_once, compared, record, rows_of, wait_until
from .test_by_kafka import BY_KAFKA, acknowledged, arrived, by_kafka, running

__all__ = ["by_kafka", "kafka", "kafka_configuration"]

CUT_OFF_RELAY = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE objid = hashtext('relay')::bigint & 4294967295"


@pytest.mark.parametrize("cut", [CUT, CUT_OFF_RELAY])
def test_a_log_that_is_restored_while_everybody_works_takes_from_clickhouse_what_it_does_not_have(
    system: System, log: Database, clickhouse: Client, by_kafka: Means, cut: LiteralString
) -> None:
    """What it got since is brought by whom had passed it. PostgreSQL has ended connections, as when it was away; or
    forwarders have not noticed anything.
    """
    system.app.record(ME, [*assigned("bob"), *reports("bob")])
    system.app.record(ME, [*assigned("bob"), *reports("bob")])
    with running(by_kafka, 2):
        wait_until(lambda: arrived(log, clickhouse))
        restore(log, 60)
        log.query(cut)
        wait_until(lambda: is_equal(log, clickhouse))
        system.app.record(ME, [*assigned("eve"), *reports("eve")])
        wait_until(lambda: arrived(log, clickhouse))
        wait_until(lambda: is_equal(log, clickhouse))
    assert_exactly_once(log, clickhouse)


def test_what_a_restored_log_got_in_place_of_what_looks_alike_is_brought(
    system: System, log: Database, clickhouse: Client, by_kafka: Means
) -> None:
    """Of reports, even the time does not tell."""
    system.app.record(ME, [*assigned("bob"), *reports("bob")])
    with running(by_kafka):
        wait_until(lambda: arrived(log, clickhouse))
    restore(log, 50)
    system.app.record(ME, reports("eve"))
    assert is_equal(log, clickhouse)
    with running(by_kafka):
        wait_until(lambda: acknowledged(by_kafka) == 60)
        wait_until(lambda: "bob" not in str(rows_of(clickhouse, "obj_name", "position > 50")))
        wait_until(lambda: arrived(log, clickhouse))
    assert_exactly_once(log, clickhouse)


def test_what_a_restored_log_has_lost_while_it_was_still_waiting_in_kafka_is_passed_over(
    system: System, log: Database, clickhouse: Client, by_kafka: Means
) -> None:
    assert by_kafka.kafka is not None
    system.app.record(ME, assigned("bob"))
    with running(by_kafka):
        wait_until(lambda: arrived(log, clickhouse))
    for _ in range(2):
        system.app.record(ME, assigned("bob"))
    relay_all(log, by_kafka.kafka)
    restore(log, 70)
    system.app.record(ME, assigned("eve"))
    with running(by_kafka, 2):
        wait_until(lambda: arrived(log, clickhouse))
        system.app.record(ME, assigned("eve"))
        wait_until(lambda: acknowledged(by_kafka) == 170)
    assert_exactly_once(log, clickhouse)
    assert "bob" not in str(rows_of(clickhouse, "obj_val, payload", "position > 70"))


def assigned(name: str) -> list[Body]:
    return [JobAssigned(number, 7, None, 6, name, None) for number in range(1, 51)]


def reports(name: str) -> list[Body]:
    """They have times of their own."""
    event: ClientEvent = {"scope": "click:element", "obj_name": name, "timestamp": "2026-11-21T10:00:00Z"}
    return [ClientEventsReported(number, "2026-11-21", [event], [], None) for number in range(1, 11)]


def is_equal(log: Database, clickhouse: Client) -> bool:
    return compared(log, clickhouse).difference is None


def test_a_repair_takes_away_what_a_restored_log_does_not_have(
    system: System, log: Database, clickhouse: Client, by_kafka: Means
) -> None:
    record(system, 500)
    with running(by_kafka):
        wait_until(lambda: arrived(log, clickhouse))
    restore(log, 400)
    record(system, 20)
    mend(BY_KAFKA, by_kafka)
    with running(by_kafka):
        record(system, 100)
        wait_until(lambda: arrived(log, clickhouse))
    assert_exactly_once(log, clickhouse)


def test_what_only_clickhouse_has_since_the_log_was_restored_is_a_difference_until_it_is_repaired(
    system: System, log: Database, clickhouse: Client, by_kafka: Means
) -> None:
    record(system, 200)
    with running(by_kafka):
        wait_until(lambda: arrived(log, clickhouse))
        wait_until(lambda: relayed(log) == 200)
    restore(log, 150)
    found = compared(log, clickhouse)
    assert (found.until, found.beyond, found.first_wrong, found.missing) == (150, 50, None, 0)
    assert found.difference is not None
    assert "50 events behind the end of the log" in found.difference
    mend(BY_KAFKA, by_kafka)
    assert_exactly_once(log, clickhouse)
    record(system, 20)
    with running(by_kafka):
        wait_until(lambda: arrived(log, clickhouse))
    assert_exactly_once(log, clickhouse)
