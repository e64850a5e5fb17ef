"""Far behind Kafka, other processes help as well: the same rows come of it, also when partitions come and go, messages
come twice or can't be read, and helpers are killed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import pairwise
from operator import attrgetter

import pytest
from clickhouse_connect.driver.client import Client

from cli.bootstrap import System
from consumers.forwarder.batch import Batch, Limits, Made
from consumers.forwarder.cutter import Cutter, shape
from consumers.forwarder.forwarder import Forwarder
from consumers.forwarder.intake import intake
from consumers.forwarder.intake.workers import Workers
from consumers.forwarder.means import Means
from consumers.forwarder.rows import table_rows
from consumers.forwarder.sinks.clickhouse import ClickHouseSink
from consumers.forwarder.sources import membership, portions
from consumers.forwarder.sources.kafka import KafkaSource
from consumers.forwarder.sources.portions import Portion
from consumers.forwarder.sources.skipping import skip_until
from consumers.forwarder.topology import Route, Topology
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.messages import Message
from infra.kafka.producer import TransactionalProducer
from infra.postgres.database import Database

from ...kafka.fixtures import kafka, kafka_configuration
from ...waiting import wait_until
from ..kafka.steps import lose_mark, relay_all
from .steps import LAYOUT, SECONDS, assert_exactly_once, empty_tables, head, means, record
from .test_by_kafka import arrived, fingerprints
from .test_moods import letters
from .workers import BACKLOG, Portions, handed_out, positions, workers_now

__all__ = ["handed_out", "kafka", "kafka_configuration"]

LARGE, PARTITIONS = 1_000_000, 8


def route(workers: int = 2, name: str = "clickhouse") -> Route:
    """Each name is a consumer group of its own, which begins at the beginning."""
    sources = {"kafka": {"type": "kafka", "workers": workers}}
    sinks = {name: {"type": "clickhouse", "input": "kafka", "batch": {"rows": 2_000}}}
    return Topology.model_validate({"sources": sources, "sinks": sinks}).route(name)


@pytest.fixture
def by_kafka(log: Database, url: str, kafka_configuration: KafkaConfiguration) -> Means:
    return replace(means(log, url), kafka=kafka_configuration)


@pytest.fixture
def backlog(system: System, log: Database, kafka_configuration: KafkaConfiguration) -> None:
    """Kafka has it all before anybody reads."""
    record(system, BACKLOG)
    relay_all(log, kafka_configuration)


@contextmanager
def forwarding(by_kafka: Means, along: Route, *, joins: bool = False) -> Iterator[Forwarder]:
    """`joins`: another one that is at work, which so needn't wait until the tables are looked after."""
    forwarder, stop = Forwarder(along, by_kafka), threading.Event()
    forwarder._migrated = joins
    thread = threading.Thread(target=forwarder.run, args=(stop,))
    thread.start()
    try:
        yield forwarder
    finally:
        stop.set()
        thread.join(SECONDS)
        assert not thread.is_alive()


def forward(by_kafka: Means, along: Route, clickhouse: Client) -> None:
    with forwarding(by_kafka, along) as forwarder:
        wait_until(lambda: arrived(by_kafka.database, clickhouse))
        assert forwarder.status.snapshot().failures == 0


@pytest.mark.usefixtures("backlog")
def test_workers_make_the_same_rows(clickhouse: Client, by_kafka: Means, handed_out: Portions) -> None:
    forward(by_kafka, route(workers=0), clickhouse)
    assert handed_out == []
    made_alone = fingerprints(clickhouse)

    empty_tables(clickhouse)
    forward(by_kafka, route(name="another"), clickhouse)
    assert sorted(positions(handed_out)) == list(range(1, BACKLOG + 1))
    of_partition = sorted(handed_out, key=attrgetter("partition"))  # stays in order within each
    assert all(one.until <= other.after for one, other in pairwise(of_partition) if one.partition == other.partition)
    assert fingerprints(clickhouse) == made_alone


@pytest.fixture
def withheld(monkeypatch: pytest.MonkeyPatch, handed_out: Portions) -> threading.Event:
    """What workers make of the first four portions is not known before this is set. A portion is all that a partition
    has.
    """
    monkeypatch.setattr(portions, "EVENTS", LARGE)
    monkeypatch.setattr(membership, "MAX_BATCHES", LARGE)
    monkeypatch.setattr(intake, "STAY_SECONDS", 0.1)
    let, shape_now = threading.Event(), Workers.shape

    def later(self: Workers, portion: Portion) -> Future[Made]:
        made = shape_now(self, portion)
        if len(handed_out) > 4:
            return made
        late: Future[Made] = Future()
        threading.Thread(target=lambda: let.wait(SECONDS) and late.set_result(made.result()), daemon=True).start()
        return late

    monkeypatch.setattr(Workers, "shape", later)
    return let


@pytest.fixture
def halves(monkeypatch: pytest.MonkeyPatch) -> set[KafkaSource]:
    """Those who were given one half of the partitions."""
    halves: set[KafkaSource] = set()
    take_over = KafkaSource._take_over

    def noted(self: KafkaSource) -> None:
        take_over(self)
        if len(self._tenures) == PARTITIONS // 2:
            halves.add(self)

    monkeypatch.setattr(KafkaSource, "_take_over", noted)
    return halves


@pytest.mark.usefixtures("backlog")
def test_what_was_handed_out_of_partitions_that_went_to_somebody_else_is_theirs(
    log: Database,
    clickhouse: Client,
    by_kafka: Means,
    handed_out: Portions,
    withheld: threading.Event,
    halves: set[KafkaSource],
) -> None:
    with forwarding(by_kafka, route(workers=3)) as first:
        wait_until(lambda: len({portion.partition for portion in handed_out}) == 4)
        assert len(handed_out) == 4
        with forwarding(by_kafka, route(workers=1), joins=True) as second:
            wait_until(lambda: second.status.snapshot().events and len(halves) == 2)
            withheld.set()
            wait_until(lambda: sum(one.status.snapshot().events for one in (first, second)) >= BACKLOG)
        shared = [forwarder.status.snapshot() for forwarder in (first, second)]
    assert len(handed_out) > 4
    assert all(snapshot.events for snapshot in shared)
    assert [snapshot.failures for snapshot in shared] == [0, 0]
    assert_exactly_once(log, clickhouse)


@pytest.mark.usefixtures("backlog")
def test_what_the_relay_repeats_is_taken_once(
    log: Database, clickhouse: Client, by_kafka: Means, handed_out: Portions, kafka_configuration: KafkaConfiguration
) -> None:
    with log.connect() as connection:
        connection.execute(f"UPDATE log.checkpoints SET position = {BACKLOG // 4} WHERE consumer = 'relay'")
    lose_mark(kafka_configuration)
    relay_all(log, kafka_configuration)
    forward(by_kafka, route(), clickhouse)
    assert len(positions(handed_out)) > BACKLOG  # who got a portion did not know of all that was before it
    assert_exactly_once(log, clickhouse)


@pytest.mark.usefixtures("backlog")
def test_what_cannot_be_read_becomes_a_dead_letter_and_what_it_says_of_itself_does_not_count(
    system: System,
    log: Database,
    clickhouse: Client,
    by_kafka: Means,
    handed_out: Portions,
    kafka_configuration: KafkaConfiguration,
) -> None:
    with closing(TransactionalProducer(kafka_configuration, "somebody")) as producer:
        headers = [[("position", b"%d" % LARGE)], []]
        producer.send((kafka_configuration.events_topic, Message(b"job-1", b"{", header)) for header in headers)
    record(system, BACKLOG // 2)
    relay_all(log, kafka_configuration)
    forward(by_kafka, route(), clickhouse)
    assert handed_out
    nameless, named = letters(log)
    assert (nameless.position, named.position) == (None, LARGE)
    assert {nameless.stage, named.stage} == {"read"}
    assert_exactly_once(log, clickhouse)


@pytest.mark.usefixtures("backlog")
def test_workers_that_are_killed_are_done_without(
    log: Database, clickhouse: Client, by_kafka: Means, handed_out: Portions
) -> None:
    with forwarding(by_kafka, route()) as forwarder:
        wait_until(lambda: len(handed_out) >= 4)
        for worker in workers_now():
            worker.kill()
        wait_until(lambda: arrived(log, clickhouse))
        assert forwarder.status.snapshot().failures == 0
    assert_exactly_once(log, clickhouse)


@pytest.mark.usefixtures("backlog")
def test_a_batch_that_was_sent_and_not_acknowledged_is_sent_again_as_it_was(
    log: Database, url: str, clickhouse: Client, by_kafka: Means, handed_out: Portions
) -> None:
    """Its end lies in the middle of a portion. ClickHouse knows it by its token if it is the same."""
    assert by_kafka.kafka is not None
    skip_until(by_kafka.kafka, "clickhouse", 0)  # as the first forwarder does
    with (
        closing(ClickHouseSink(url, LAYOUT)) as sink,
        closing(KafkaSource(by_kafka.kafka, "clickhouse", lambda: head(log))) as source,
    ):
        sink.migrate()
        batch = first_of(source, 123)
        sink.insert(batch, source.announce(batch.span))
    forward(by_kafka, route(), clickhouse)
    begun = [portion for portion in handed_out if portion.partition == batch.span.partition]
    assert all(portion.after >= batch.span.until for portion in begun)
    assert begun
    assert_exactly_once(log, clickhouse)


def first_of(source: KafkaSource, events: int) -> Batch:
    """So many of some partition."""
    cutters: dict[str, Cutter] = {}
    batches: list[Batch] = []

    def found() -> bool:
        for delivery in source.poll(0.1):
            if not batches:
                cutter = cutters.setdefault(delivery.partition, Cutter(delivery.partition, 0, Limits(rows=events)))
                batches.extend(cutter.add(shape(delivery, table_rows)))
        source.revoked()
        return bool(batches)

    wait_until(found)
    return batches[0]
