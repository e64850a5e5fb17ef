"""What a forwarder could not read, a newer one can: it delivers the dead letters of the one before when it starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from cli.bootstrap import System
from consumers.forwarder import dead_letters, shaping
from consumers.forwarder.bookkeeper import Bookkeeper
from consumers.forwarder.checkpoint import CONSUMER, Checkpoint
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.forwarder import Forwarder
from consumers.forwarder.mending.second_chance import SecondChance
from consumers.forwarder.rows import TableRow, table_rows
from consumers.forwarder.sources import messages
from consumers.forwarder.topology import Route, Topology, default
from consumers.lock import FollowerLock
from domain.event import Event
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.decoding import decode
from infra.postgres.database import Database

from ...kafka.fixtures import kafka, kafka_configuration
from ...waiting import wait_until
from ..kafka.steps import relay_all
from .steps import SMALL, assert_exactly_once, forward, forwarded, forwarding, means, record, running

__all__ = ["kafka", "kafka_configuration"]

NEWER = 99


def letters(log: Database, consumer: str = CONSUMER) -> list[DeadLetter]:
    with log.connect() as connection:
        return dead_letters.listed(connection, consumer)


@contextmanager
def written_by_a_newer_program(log: Database, where: str) -> Iterator[None]:
    """Some events, for the forwarders of an older one."""
    with log.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        before = connection.execute(f"SELECT position, schema_version FROM log.events WHERE {where}").fetchall()
        connection.execute(f"UPDATE log.events SET schema_version = {NEWER} WHERE {where}")
        yield
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE log.events SET schema_version = %(schema_version)s WHERE position = %(position)s", before
            )


def test_the_next_forwarder_delivers_what_it_can_read(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    record(system, 300)
    with written_by_a_newer_program(log, "position BETWEEN 10 AND 60 OR position % 50 = 0"):
        forward(log, url)
        dead = letters(log)
        assert {letter.stage for letter in dead} == {"read"}
        assert "written by a newer version" in dead[0].error
        forward(log, url)  # no newer than the one before
        assert letters(log) == dead
    with forwarding(log, url):
        wait_until(lambda: not letters(log))
    assert_exactly_once(log, clickhouse)


def test_so_it_does_with_what_a_transform_failed_on(
    system: System, log: Database, url: str, clickhouse: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(event: Event) -> list[TableRow]:
        assert event.position != 7
        return table_rows(event)

    record(system, 20)
    monkeypatch.setattr(shaping, "table_rows", failing)
    forward(log, url)
    assert [(letter.position, letter.stage) for letter in letters(log)] == [(7, "transform")]
    monkeypatch.undo()
    with forwarding(log, url):
        wait_until(lambda: not letters(log))
    assert_exactly_once(log, clickhouse)


class TestWhoIsKilledBeforeHeHasForgottenTheLetters:
    """What has arrived is not sent twice."""

    @pytest.fixture(autouse=True)
    def arrived(self, system: System, log: Database, url: str) -> None:
        record(system, 300)
        forward(log, url)
        with log.connect() as connection:
            dead_letters.note(connection, CONSUMER, [DeadLetter.at(position, "read", "newer") for position in (7, 8)])

    def test_the_next_one_finds_what_arrived(self, log: Database, url: str, clickhouse: Client) -> None:
        with log.connect() as connection:
            SecondChance(SMALL, means(log, url)).go_on(connection)
        assert letters(log) == []
        assert_exactly_once(log, clickhouse)

    def test_nor_does_it_go_back_for_that(self, log: Database, url: str, clickhouse: Client) -> None:
        with log.connect() as connection:
            before = Checkpoint(connection).load()
            with forwarding(log, url):
                wait_until(lambda: not letters(log))
            assert Checkpoint(connection).load() == before
        assert_exactly_once(log, clickhouse)


def test_it_forwards_what_comes_while_somebody_else_mends_the_sink(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    record(system, 30)
    with written_by_a_newer_program(log, "position = 7"):
        forward(log, url)
    with log.connect() as connection:
        mender = FollowerLock(connection, SMALL.mender)
        wait_until(mender.take)  # the server may not have noticed yet that the forwarder has ended
        with forwarding(log, url) as forwarder:
            record(system, 30)
            wait_until(lambda: forwarded(log))
            assert len(letters(log)) == 1
            mender.release()
            wait_until(lambda: not letters(log))
            assert forwarder.status.snapshot().failures == 0
    assert_exactly_once(log, clickhouse)


def test_in_an_archive_each_gets_a_file_of_its_own(system: System, log: Database, tmp_path: Path) -> None:
    sink = {"type": "file", "input": "log", "folder": str(tmp_path), "batch": {"seconds": 0.1}}
    route = Topology.model_validate({"sources": {"log": {"type": "log"}}, "sinks": {"files": sink}}).route("files")
    record(system, 30)
    with written_by_a_newer_program(log, "position IN (7, 8, 20)"):
        archive(route, log, until=30)
    assert len(letters(log, route.consumer)) == 3
    with running(Forwarder(route, means(log, "http://127.0.0.1:9"))):
        wait_until(lambda: not letters(log, route.consumer))
    names = [file.name.split("-")[1:3] for file in tmp_path.glob("*/*.zst")]
    assert sorted(int(first) for first, last in names if first == last) == [7, 8, 20]


def archive(route: Route, log: Database, until: int) -> None:
    with running(Forwarder(route, means(log, "http://127.0.0.1:9"))) as forwarder:
        wait_until(lambda: forwarder.status.snapshot().position == until)


def test_by_kafka_it_waits_until_everything_before_has_arrived(
    system: System,
    log: Database,
    url: str,
    clickhouse: Client,
    kafka_configuration: KafkaConfiguration,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else an event might be sent that comes by its partition, too: an unreadable message only says which it is."""

    def newer(value: bytes) -> Event:
        event = decode(value)
        if event.position in (7, 8, 150):
            raise LookupError("written by a newer version")
        return event

    route, given = default(kafka=True).route("clickhouse"), replace(means(log, url), kafka=kafka_configuration)
    record(system, 200)
    relay_all(log, kafka_configuration)
    monkeypatch.setattr(messages, "decode", newer)
    with running(Forwarder(route, given)) as forwarder:
        wait_until(lambda: forwarder.status.snapshot().events == 197)
        wait_until(lambda: len(letters(log)) == 3)
    monkeypatch.undo()
    with running(Forwarder(route, given)) as forwarder, closing(Bookkeeper(route, given)) as bookkeeper:
        wait_until(lambda: forwarder.status.snapshot().state == "forwarding")
        assert len(letters(log)) == 3
        bookkeeper.look()
        wait_until(lambda: not letters(log))
    assert_exactly_once(log, clickhouse)
