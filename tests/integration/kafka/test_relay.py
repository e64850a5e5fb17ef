"""The relay: every event comes to Kafka, in order, whatever happens to the relay or to Kafka."""

from __future__ import annotations

import random
import secrets
import signal
from contextlib import closing

import orjson
import pytest
from kafka import KafkaAdminClient

from cli.bootstrap import System
from consumers import timeline
from consumers.relay import relay as relay_module
from consumers.relay.mark import Mark
from consumers.timeline import Timeline
from domain.errors import Unavailable
from domain.event import SYSTEM, Context
from domain.events.annotations import AnnotationsReplaced
from domain.events.job import JobAssigned
from domain.events.user import UserRegistered
from infra.eventlog.reader import LogReader
from infra.kafka.batches import BATCH_BYTES
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.decoding import Omitted, decode
from infra.kafka.notes import look
from infra.kafka.producer import TransactionalProducer
from infra.kafka.topics import ensure_topics
from infra.postgres.database import Database

from ...waiting import wait_until
from .steps import (
    ME,
    SECONDS,
    assert_complete,
    delete_topics,
    events,
    every_message,
    first_seen,
    head,
    lose_mark,
    messages,
    patient,
    record,
    recording,
    relay_all,
    relay_process,
    relayed,
    relaying,
    restore,
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


def test_what_a_topic_does_not_take_goes_without_its_body(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    """Its topics may be somebody else's, made for small messages. What stands behind is not held up."""
    limits = {"max.message.bytes": str(2 * BATCH_BYTES)}
    with closing(KafkaAdminClient(**patient(kafka_configuration))) as admin:
        topic = {"num_partitions": 4, "replication_factor": 1, "configs": limits}
        admin.create_topics(dict.fromkeys(kafka_configuration.topics, topic))
    large = [JobAssigned(job_id, 7, None, 6, secrets.token_hex(2 * BATCH_BYTES), None) for job_id in (1, 2)]
    system.app.record(ME, [*events(20), large[0], *events(20), large[1], *events(20)])
    with relaying(log, kafka_configuration) as relay:
        wait_until(lambda: relayed(log) == head(log))
        assert relay.status.snapshot().failures > 0
    assert_complete(log, kafka_configuration)
    found = [message for run in messages(kafka_configuration).values() for message in run]
    omitted = [message for message in found if "omitted" in dict(message.headers)]
    assert sorted(int(dict(message.headers)["position"]) for message in omitted) == [21, 42]
    for message in omitted:
        with pytest.raises(Omitted):
            decode(message.value)


def test_fifty_thousand_shapes_are_one_message(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    points = [random.uniform(0, 4_000) for _ in range(8)]
    shapes = [{"id": n, "label_id": 1, "type": "polygon", "points": points} for n in range(50_000)]
    system.app.record(ME, [AnnotationsReplaced(1, 7, None, {"shapes": shapes}, {}), *events(5)])
    relay_all(log, kafka_configuration)
    found = [message for run in messages(kafka_configuration).values() for message in run]
    assert len(found) == head(log)
    assert max(len(message.value) for message in found) > 50_000 * 100
    assert not any("omitted" in dict(message.headers) for message in found)


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
    cut_short = 0
    while cut_short < 4:
        record(system, 10_000)
        before = relayed(log)
        with relay_process(log, kafka_configuration) as process:
            wait_until(lambda before=before: relayed(log) > before)  # type: ignore[misc]
            process.kill()
            process.wait()
        cut_short += relayed(log) < head(log)
    relay_all(log, kafka_configuration)
    assert_complete(log, kafka_configuration)


def test_one_relay_works_and_the_other_waits(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    with relaying(log, kafka_configuration) as second, relay_process(log, kafka_configuration) as first:
        wait_until(lambda: second.status.snapshot().state == "relaying")
        record(system, 200)
        wait_until(lambda: second.status.snapshot().events >= 200)
        assert relayed(log) == head(log)
        assert first.poll() is None
    record(system, 200)
    with relay_process(log, kafka_configuration) as first:
        wait_until(lambda: relayed(log) == head(log))
        with relaying(log, kafka_configuration) as second:
            wait_until(lambda: second.status.snapshot().state == "waiting")
            first.kill()
            record(system, 200)
            wait_until(lambda: second.status.snapshot().events >= 200)
            assert relayed(log) == head(log)
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


def test_another_relay_takes_over_from_one_that_hangs(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    """Its connections stay open, so nothing but its silence tells. It wakes up as if nothing had been."""
    with relay_process(log, kafka_configuration, silence=2.0) as first, recording(system):
        wait_until(lambda: relayed(log) > 100)
        first.send_signal(signal.SIGSTOP)
        with relaying(log, kafka_configuration) as second:
            reached = head(log)
            wait_until(lambda: relayed(log) > reached)
            first.send_signal(signal.SIGCONT)
            reached = head(log)
            wait_until(lambda: relayed(log) > reached + 100)
            wait_until(lambda: second.status.snapshot().state == "relaying")
            assert first.poll() is None
    relay_all(log, kafka_configuration)
    assert_complete(log, kafka_configuration)


def test_topics_that_were_deleted_are_filled_from_the_start(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    """What was relayed into them is in the log still, and whoever had not read it yet has a right to it."""
    record(system, 100)
    relay_all(log, kafka_configuration)
    delete_topics(kafka_configuration)
    record(system, 100)
    relay_all(log, kafka_configuration)
    assert_complete(log, kafka_configuration)


def test_a_relay_at_work_notices_that_topics_were_made_anew(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    """By somebody who was faster than it: a forwarder makes them, too."""
    with relaying(log, kafka_configuration) as relay:
        record(system, 100)
        wait_until(lambda: relayed(log) == head(log))
        delete_topics(kafka_configuration)
        ensure_topics(kafka_configuration)
        record(system, 100)
        wait_until(lambda: relay.status.snapshot().failures > 0)
        wait_until(lambda: relayed(log) == head(log))
    assert_complete(log, kafka_configuration)


def test_a_relay_with_nothing_to_do_notices_that_too(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    record(system, 100)
    with relaying(log, kafka_configuration):
        wait_until(lambda: relayed(log) == head(log))
        delete_topics(kafka_configuration)
        ensure_topics(kafka_configuration)
        wait_until(lambda: sum(map(len, first_seen(messages(kafka_configuration)).values())) == head(log))
    assert_complete(log, kafka_configuration)


def test_a_relay_that_was_killed_before_it_noted_its_last_run_repeats_nothing(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    record(system, 300)
    relay_all(log, kafka_configuration)
    with log.connection() as connection:
        connection.execute("UPDATE log.checkpoints SET position = 100 WHERE consumer = 'relay'")
    record(system, 50)
    relay_all(log, kafka_configuration)
    assert sum(map(len, messages(kafka_configuration).values())) == 350


def test_a_log_that_was_restored_is_relayed_anew_as_another_timeline(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    """It may have more events by then than were relayed before, or fewer. Behind the places that are noted as the start
    of the timeline everything is there.
    """
    seen: list[Timeline] = []
    record(system, 100)
    relay_all(log, kafka_configuration)
    for kept, more, since in ((60, 70, 60), (110, 5, 60), (50, 100, 50)):
        restore(log, kept)
        record(system, more)
        before = sum(map(len, messages(kafka_configuration).values()))
        relay_all(log, kafka_configuration)
        with log.connection() as connection:
            seen.append(timeline.current(connection))
        assert seen[-1].since == since
        new = [m for m in every_message(kafka_configuration) if m.offset >= seen[-1].starts[f"{m.topic}/{m.partition}"]]
        assert sorted(orjson.loads(m.value)["position"] for m in new) == list(range(1, head(log) + 1))
        assert {dict(m.headers)["timeline"] for m in new} == {b"%d" % seen[-1].number}
        assert len(every_message(kafka_configuration)) == before + head(log)
    assert [one.number for one in seen] == sorted({one.number for one in seen})
    record(system, 20)
    relay_all(log, kafka_configuration)
    with log.connection() as connection:
        assert timeline.current(connection) == seen[-1]


def test_a_relay_that_is_killed_when_it_has_just_noticed_that_the_log_was_restored(
    system: System, log: Database, kafka_configuration: KafkaConfiguration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has noted it, and sent nothing yet. The next one goes on with that timeline."""
    record(system, 100)
    relay_all(log, kafka_configuration)
    restore(log, 60)
    with monkeypatch.context() as patched:
        patched.setattr(TransactionalProducer, "send", broken)
        with relaying(log, kafka_configuration) as relay:
            wait_until(lambda: "broken" in str(relay.status.snapshot().last_error))
    with log.connection() as connection:
        noticed = timeline.current(connection)
    assert noticed.number
    relay_all(log, kafka_configuration)
    with log.connection() as connection:
        assert timeline.current(connection) == noticed
    assert len(every_message(kafka_configuration)) == 160


def broken(*_: object) -> int:
    raise Unavailable("broken")


def test_a_relay_with_nothing_to_do_reminds_kafka_how_far_it_is(
    system: System, log: Database, kafka_configuration: KafkaConfiguration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For Kafka forgets what it was not told for a week."""
    monkeypatch.setattr(relay_module, "MARK_SECONDS", 0.0)
    record(system, 100)
    with relaying(log, kafka_configuration):
        wait_until(lambda: relayed(log) == head(log))
        left = look(kafka_configuration, relay_module.FOLLOWER).note
        lose_mark(kafka_configuration)
        wait_until(lambda: look(kafka_configuration, relay_module.FOLLOWER).note == left)
    assert left is not None
    assert Mark.read(left).position == 100


def test_a_stop_relays_what_is_there(system: System, log: Database, kafka_configuration: KafkaConfiguration) -> None:
    record(system, 5_000)
    with relay_process(log, kafka_configuration) as process:
        wait_until(lambda: relayed(log) > 0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(2 * SECONDS) == 0
    assert relayed(log) == head(log)
