"""Kafka as the forwarder's source: nothing is lost, and nothing is sent twice but under the same token."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import RebalanceInProgressError

from cli.bootstrap import System
from consumers.forwarder.sources import membership
from consumers.forwarder.sources.delivery import Delivery, Span
from consumers.forwarder.sources.kafka import KafkaSource
from consumers.forwarder.sources.skipping import skip_until
from domain.errors import Unavailable
from infra.kafka.batches import BATCH_BYTES
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.messages import Message
from infra.kafka.producer import TransactionalProducer
from infra.kafka.topics import ensure_topics
from infra.postgres.database import Database

from ...waiting import SECONDS, wait_until
from .readers import BEAT, Ledger, Reader, endless, read_all, reading
from .steps import (
    head,
    lose_mark,
    patient,
    record,
    recording,
    relay_all,
    relay_process,
    relayed,
    relaying,
)


@pytest.fixture(autouse=True)
def begun(kafka_configuration: KafkaConfiguration) -> None:
    """A sink that has nothing yet."""
    skip_until(kafka_configuration, "test", 0)


def everything(log: Database) -> list[int]:
    return list(range(1, head(log) + 1))


def deliveries(source: KafkaSource, done: Callable[[list[Delivery]], object]) -> list[Delivery]:
    """What a source gives until that is so."""
    found: list[Delivery] = []
    deadline = time.monotonic() + SECONDS
    while not done(found):
        found += source.poll(BEAT)
        source.revoked()
        assert time.monotonic() < deadline, f"the source gave {len(found)} events and no more"
    return found


def joined(source: KafkaSource) -> None:
    """Until the group has given it partitions."""
    assert deliveries(source, lambda found: source.behind().events or found) is not None


def test_each_event_comes_once_and_in_order(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    record(system, 500)
    relay_all(log, kafka_configuration)
    with closing(KafkaSource(kafka_configuration, "test", endless)) as source:
        found = deliveries(source, lambda found: len(found) >= 500)
        assert not list(source.poll(BEAT))
    assert sorted(delivery.position for delivery in found) == everything(log)
    for partition in {delivery.partition for delivery in found}:
        run = [delivery for delivery in found if delivery.partition == partition]
        assert run == sorted(run, key=lambda delivery: delivery.offset)
        assert run == sorted(run, key=lambda delivery: delivery.position)


def test_what_a_relay_repeats_is_dropped(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    """Within one tenure, and by who takes over after everything was acknowledged."""
    record(system, 300)
    relay_all(log, kafka_configuration)
    ledger = Ledger()
    read_all(kafka_configuration, ledger, lambda: len(ledger.positions) == 300)
    lose_mark(kafka_configuration)
    with log.connection() as connection:
        connection.execute("UPDATE log.checkpoints SET position = 100 WHERE consumer = 'relay'")
    relay_all(log, kafka_configuration)
    record(system, 100)
    relay_all(log, kafka_configuration)
    read_all(kafka_configuration, ledger, lambda: len(ledger.positions) >= 400)
    assert ledger.positions == everything(log)
    skip_until(kafka_configuration, "another", 0)
    with closing(KafkaSource(kafka_configuration, "another", endless)) as source:
        found = deliveries(source, lambda found: len(found) >= 400)
        assert not list(source.poll(BEAT))
    assert sorted(delivery.position for delivery in found) == everything(log)


def test_a_killed_relay_shows_nothing_twice(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    record(system, 20_000)
    ledger = Ledger()
    with reading(kafka_configuration, ledger, longest=2_000):
        for _ in range(3):
            before = relayed(log)
            with relay_process(log, kafka_configuration):
                wait_until(lambda before=before: relayed(log) > before)
        with relaying(log, kafka_configuration):
            wait_until(lambda: len(ledger.positions) >= head(log))
    assert ledger.positions == everything(log)


def test_an_announced_run_is_sent_again_as_it_was(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    record(system, 200)
    relay_all(log, kafka_configuration)
    with closing(KafkaSource(kafka_configuration, "test", endless)) as source:
        found = deliveries(source, lambda found: len(found) >= 200)
        partition = found[0].partition
        run = [delivery for delivery in found if delivery.partition == partition]
        assert source.announced(partition) is None
        span = Span(partition, source.start(partition), run[len(run) // 2].offset)
        token = source.announce(span)
    with closing(KafkaSource(kafka_configuration, "test", endless)) as source:
        deliveries(source, lambda found: len(found) >= 200)
        assert source.start(partition) == span.after
        assert source.announced(partition) == span.until
        assert source.announce(span) == token
        source.acknowledge(span)
        assert source.start(partition) == span.until
        assert source.announced(partition) is None
    with closing(KafkaSource(kafka_configuration, "test", endless)) as source:
        rest = deliveries(source, lambda found: len(found) >= 200 - (len(run) // 2 + 1))
        assert [d for d in rest if d.partition == partition] == run[len(run) // 2 + 1 :]


def test_sources_that_come_and_go_share_the_work(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    """Some fail between sending and acknowledging: that run is sent again, by whoever has the partition then."""
    ledger, runs = Ledger(), count(1)

    def crash() -> None:
        if next(runs) % 20 == 0:
            raise Unavailable("this sink fails now and then")

    with relaying(log, kafka_configuration), ExitStack() as first:
        first.enter_context(reading(kafka_configuration, ledger, crash))
        with recording(system):
            wait_until(lambda: len(ledger.positions) > 300)
            with reading(kafka_configuration, ledger, crash):
                reached = len(ledger.positions)
                wait_until(lambda: len(ledger.positions) > reached + 1_500, 3 * SECONDS)
        wait_until(lambda: ledger.positions == everything(log), 3 * SECONDS)
    assert ledger.sent_again > 0


def test_who_was_thrown_out_cannot_announce(
    system: System, log: Database, kafka_configuration: KafkaConfiguration, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(system, 400)
    relay_all(log, kafka_configuration)
    monkeypatch.setattr(membership, "POLL_INTERVAL_MS", 1_500)
    with closing(KafkaSource(kafka_configuration, "test", endless)) as zombie:
        found = deliveries(zombie, lambda found: len(found) >= 400)
        announced = Span(found[0].partition, zombie.start(found[0].partition), found[0].offset)
        zombie.announce(announced)
        monkeypatch.setattr(membership, "POLL_INTERVAL_MS", 30_000)
        ledger = Ledger()
        read_all(kafka_configuration, ledger, lambda: len(ledger.positions) >= 400)
        assert ledger.positions == everything(log)
        zombie.acknowledge(announced)
        for delivery in found:
            with pytest.raises(Unavailable):
                zombie.announce(Span(delivery.partition, announced.after, delivery.offset))
        assert zombie.revoked() == {delivery.partition for delivery in found}
    with closing(KafkaSource(kafka_configuration, "test", endless)) as source:
        joined_at = time.monotonic()
        while time.monotonic() < joined_at + 2 and not source._tenures:
            assert not list(source.poll(BEAT))
        assert source.behind().seconds == 0


def test_a_paused_source_stays_in_the_group(
    system: System, log: Database, kafka_configuration: KafkaConfiguration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "POLL_INTERVAL_MS", 1_000)
    record(system, 100)
    relay_all(log, kafka_configuration)
    with closing(KafkaSource(kafka_configuration, "test", endless)) as source:
        found = deliveries(source, lambda found: len(found) >= 100)
        source.pause()
        record(system, 100)
        relay_all(log, kafka_configuration)
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            assert not list(source.poll(BEAT))
        assert not source.revoked()
        assert source.behind().events >= 200
        assert source.behind().seconds > 1
        source.announce(Span(found[0].partition, source.start(found[0].partition), found[0].offset))
        source.resume()
        assert len(deliveries(source, lambda found: len(found) >= 100)) == 100


def test_who_commits_while_the_group_changes_reads_on(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    """Also of the partitions that come back, though nothing is taken of them until they do."""
    record(system, 100)
    relay_all(log, kafka_configuration)
    with closing(KafkaSource(kafka_configuration, "test", endless)) as source:
        found = deliveries(source, lambda found: len(found) >= 100)
        refusing = [RebalanceInProgressError()]

        def commit(*given: object) -> None:
            if refusing:
                source._member._consumer._coordinator.request_rejoin()
                raise refusing.pop()
            committing(*given)

        committing = source._member._consumer.commit
        source._member._consumer.commit = commit
        source.announce(Span(found[0].partition, source.start(found[0].partition), found[0].offset))
        assert not refusing
        record(system, 100)
        relay_all(log, kafka_configuration)
        assert len(deliveries(source, lambda found: len(found) >= 100)) == 100


def test_who_looks_only_for_moments_lets_others_join(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    """As a forwarder does whose sink is slow."""
    record(system, 100)
    relay_all(log, kafka_configuration)
    with closing(KafkaSource(kafka_configuration, "test", endless)) as source:
        deliveries(source, lambda found: len(found) >= 100)
        source.pause()
        ledger, gone = Ledger(), set[str]()

        def shared() -> bool:
            assert not list(source.poll(0.0))
            gone.update(source.revoked())
            return bool(gone and ledger.positions)

        with reading(kafka_configuration, ledger):
            wait_until(shared)


def test_an_open_transaction_hides_what_is_behind_it(kafka_configuration: KafkaConfiguration) -> None:
    """So a partition never shows a later event without an earlier one."""
    ensure_topics(kafka_configuration)
    topic = kafka_configuration.events_topic
    stranger = KafkaConsumer(**patient(kafka_configuration))
    keys = [TopicPartition(topic, number) for number in range(kafka_configuration.partitions)]

    def unfinished() -> Iterator[tuple[str, Message]]:
        for _ in range(2):  # more than one batch, so that the first is sent before the end
            yield topic, Message(b"job-1", b"never committed" * BATCH_BYTES, [])
        wait_until(lambda: any(stranger.end_offsets(keys).values()))
        raise RuntimeError("in the middle of a run")

    producer = TransactionalProducer(kafka_configuration, "relay")
    with closing(stranger), pytest.raises(RuntimeError):
        producer.send(unfinished())
    producer.close()
    with closing(TransactionalProducer(kafka_configuration, "relay")) as producer:
        producer.send([(topic, Message(b"job-1", b"committed", []))])
    with closing(KafkaSource(kafka_configuration, "test", endless)) as source:
        found = deliveries(source, lambda found: found)
        assert not list(source.poll(BEAT))
    assert len(found) == 1


def test_lag_is_what_was_not_acknowledged(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    record(system, 100)
    relay_all(log, kafka_configuration)
    with closing(KafkaSource(kafka_configuration, "test", endless)) as source:
        reader = Reader(source, Ledger())
        wait_until(lambda: reader.step() or source.behind().events >= 100)
        wait_until(lambda: not reader.step() and source.behind().events == 0)
        assert len(reader.ledger.positions) == 100
        assert source.behind().seconds == 0.0


def test_how_much_is_unread_is_known_without_asking_unless_nothing_comes(
    system: System, log: Database, kafka_configuration: KafkaConfiguration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer would come after one that waits for something new: so long nothing else would be done."""
    record(system, 300)
    relay_all(log, kafka_configuration)
    with closing(KafkaSource(kafka_configuration, "test", endless)) as source:
        deliveries(source, lambda found: len(found) >= 300)
        wait_until(lambda: not list(source.poll(BEAT)) and source.unread() == 0)
        asked: list[TopicPartition] = []
        consumer = source._member._consumer
        ends = consumer.end_offsets
        monkeypatch.setattr(consumer, "end_offsets", lambda keys, ms: asked.extend(keys) or ends(keys, ms))
        assert (source.unread(), asked) == (0, [])
        source.pause()
        record(system, 100)
        relay_all(log, kafka_configuration)
        assert (source.unread() or 0) >= 100
        assert set(asked) == consumer.assignment()
