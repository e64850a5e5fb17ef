"""The relay: every event comes to Kafka, in order, whatever happens to the relay or to Kafka."""

from __future__ import annotations

import signal

import orjson

from cli.bootstrap import System
from domain.event import SYSTEM, Context
from domain.events.user import UserRegistered
from infra.eventlog.reader import LogReader
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.messages import decode
from infra.kafka.producer import TransactionalProducer
from infra.postgres.database import Database

from ...waiting import wait_until
from .steps import (
    ME,
    assert_complete,
    events,
    head,
    messages,
    record,
    recording,
    relay_all,
    relay_process,
    relayed,
    relaying,
)


def test_a_message_is_the_event(system: System, log: Database, kafka_configuration: KafkaConfiguration) -> None:
    system.app.record(ME, events(10))
    relay_all(log, kafka_configuration)
    found = [message for run in messages(kafka_configuration).values() for message in run]
    with log.connect() as connection:
        recorded = [event for batch in LogReader().read(connection, 0, head(log)) for event in batch]
    assert sorted((decode(message.value) for message in found), key=lambda event: event.position) == recorded
    for message in found:
        event = decode(message.value)
        assert message.key == event.originator_id.encode()
        assert dict(message.headers) == {
            "position": str(event.position).encode(),
            "type": event.body.type_name.encode(),
            "version": str(event.originator_version).encode(),
            "correlation_id": b"request-1",
        }
        telemetry = event.body.type_name == "ClientEventsReported"
        assert message.topic.endswith(".telemetry" if telemetry else ".events")


def test_secrets_stay_in_the_log(system: System, log: Database, kafka_configuration: KafkaConfiguration) -> None:
    system.app.record(Context(SYSTEM), [UserRegistered(1, "ann", "", "", "", True, "argon2:the-hash")])
    relay_all(log, kafka_configuration)
    ((message,),) = messages(kafka_configuration).values()
    assert b"the-hash" not in message.value
    body = orjson.loads(message.value)["body"]
    assert body["username"] == "ann"
    assert body["password_hash"] == "(hidden)"


def test_streams_stay_in_order(system: System, log: Database, kafka_configuration: KafkaConfiguration) -> None:
    with relaying(log, kafka_configuration), recording(system):
        wait_until(lambda: relayed(log) > 1_000)
    assert_complete(log, kafka_configuration)
    versions: dict[bytes, int] = {}
    for run in messages(kafka_configuration).values():
        for message in run:
            version = int(dict(message.headers)["version"])
            assert version == versions.get(message.key, 0) + 1
            versions[message.key] = version


def test_a_relay_that_goes_on_repeats_nothing(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    for _ in range(3):
        record(system, 300)
        relay_all(log, kafka_configuration)
    assert sum(map(len, messages(kafka_configuration).values())) == head(log)


def test_a_killed_relay_loses_nothing(system: System, log: Database, kafka_configuration: KafkaConfiguration) -> None:
    """Wherever it was: reading, producing, committing, or before it noted that it had."""
    record(system, 30_000)
    for _ in range(4):
        before = relayed(log)
        with relay_process(log, kafka_configuration) as process:
            wait_until(lambda before=before: relayed(log) > before)
            process.kill()
            process.wait()
    assert relayed(log) < head(log), "it was killed too late to prove anything"
    relay_all(log, kafka_configuration)
    assert_complete(log, kafka_configuration)


def test_one_relay_works_and_the_other_waits(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    with relaying(log, kafka_configuration) as second, relay_process(log, kafka_configuration) as first:
        wait_until(lambda: second.status.snapshot().state == "relaying")
        record(system, 200)
        wait_until(lambda: relayed(log) == head(log))
        assert second.status.snapshot().events == 200
        assert first.poll() is None
    record(system, 200)
    with relay_process(log, kafka_configuration) as first:
        wait_until(lambda: relayed(log) == head(log))
        with relaying(log, kafka_configuration) as second:
            wait_until(lambda: second.status.snapshot().state == "waiting")
            first.kill()
            record(system, 200)
            wait_until(lambda: relayed(log) == head(log))
            assert second.status.snapshot().events == 200
    assert_complete(log, kafka_configuration)


def test_a_new_relay_fences_off_the_old(system: System, log: Database, kafka_configuration: KafkaConfiguration) -> None:
    """Even one that has lost its lock and does not know yet."""
    with relaying(log, kafka_configuration) as relay:
        record(system, 10)
        wait_until(lambda: relayed(log) == head(log))
        usurper = TransactionalProducer(kafka_configuration, "relay")
        usurper.close()
        record(system, 10)
        wait_until(lambda: relayed(log) == head(log))
        assert relay.status.snapshot().failures > 0
    assert_complete(log, kafka_configuration)


def test_a_stop_relays_what_is_there(system: System, log: Database, kafka_configuration: KafkaConfiguration) -> None:
    record(system, 5_000)
    with relay_process(log, kafka_configuration) as process:
        wait_until(lambda: relayed(log) > 0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert relayed(log) == head(log)
