"""Relays and readers, and what their tests look at."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import orjson
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from cli.bootstrap import System
from consumers.relay.relay import FOLLOWER, SILENCE, Relay
from domain.event import Actor, Body, Context
from domain.events.job import JobAssigned, JobStateChanged
from domain.events.telemetry import ClientEventsReported
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.notes import notes_of
from infra.postgres.database import Database

from ...waiting import wait_until

REPOSITORY = Path(__file__).parents[3]
SECONDS = 120.0
ME = Context(Actor(1, "ann"), correlation_id="request-1", user_agent="a test")
RELAY = """
import signal, sys, threading
from consumers.relay import relay
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.notes import notes_of
from infra.postgres.database import Database
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
kafka = KafkaConfiguration(tuple(sys.argv[2].split(",")), topic_prefix=sys.argv[3])
relay.SILENCE, relay.DRAIN = float(sys.argv[4]), 60.0
relay.Relay(Database(sys.argv[1]), kafka).run(stop)
"""


def events(number: int) -> list[Body]:
    """Of many jobs; every tenth is a report of a client."""
    bodies: list[Body] = []
    for n in range(number):
        job_id = random.randint(1, 50)
        if n % 10 == 9:
            bodies.append(ClientEventsReported(job_id, "2026-11-21", [], [], None))
        elif n % 2:
            bodies.append(JobAssigned(job_id, 7, None, 6, "bob", None))
        else:
            bodies.append(JobStateChanged(job_id, 7, None, "validation", "completed", "annotation", "new"))
    return bodies


def record(system: System, number: int) -> None:
    for first in range(0, number, 2_000):
        system.app.record(ME, events(min(2_000, number - first)))


@contextmanager
def recording(system: System, per_second: int = 500) -> Iterator[None]:
    """Somebody works meanwhile."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.05):
            system.app.record(ME, events(per_second // 20))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join()


@contextmanager
def relaying(log: Database, kafka: KafkaConfiguration) -> Iterator[Relay]:
    """A relay in a thread; stopped in order at the end."""
    relay, stop = Relay(log, kafka), threading.Event()
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    try:
        yield relay
    finally:
        stop.set()
        thread.join(SECONDS)
        assert not thread.is_alive()


@contextmanager
def relay_process(
    log: Database, kafka: KafkaConfiguration, silence: float = SILENCE
) -> Iterator[subprocess.Popen[bytes]]:
    """A relay that may be killed, or hang. What it says is among the output of the test."""
    command = [sys.executable, "-c", RELAY, log.url, ",".join(kafka.servers), kafka.topic_prefix, str(silence)]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(REPOSITORY)})
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def relay_all(log: Database, kafka: KafkaConfiguration) -> None:
    with relaying(log, kafka):
        wait_until(lambda: relayed(log) == head(log))


def head(log: Database) -> int:
    row = log.query_one("SELECT coalesce(max(position), 0) AS head FROM log.events")
    return int(row["head"]) if row else 0


def relayed(log: Database) -> int:
    """Up to where Kafka has acknowledged."""
    row = log.query_one("SELECT position FROM log.checkpoints WHERE consumer = 'relay'")
    return int(row["position"]) if row else 0


def patient(kafka: KafkaConfiguration) -> dict[str, Any]:
    """How the tests' own clients are: they wait for a busy broker."""
    milliseconds = int(SECONDS * 1_000)
    return {**kafka.client(), "request_timeout_ms": milliseconds, "bootstrap_timeout_ms": milliseconds}


def lose_mark(kafka: KafkaConfiguration) -> None:
    """What the relay leaves in Kafka goes, as after a long time: it has to believe the database."""
    with closing(KafkaAdminClient(**patient(kafka))) as admin:
        group = notes_of(kafka, FOLLOWER).group
        assert admin.delete_groups([group])[group] == "OK"


def raise_partitions(kafka: KafkaConfiguration, number: int) -> None:
    """Of the topic of events."""
    with closing(KafkaAdminClient(**patient(kafka))) as admin:
        admin.create_partitions({kafka.events_topic: number})


def restore(log: Database, position: int) -> None:
    """The log as it was when it was so long, and with it what the relay had noted by then."""
    with log.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM log.events WHERE position > %s", (position,))
        connection.execute(
            "UPDATE log.checkpoints SET position = least(position, %s) WHERE consumer = 'relay'", (position,)
        )


def delete_topics(kafka: KafkaConfiguration, *topics: str) -> None:
    """All, or these. Returns when they are gone, or there again: whoever needs them makes them."""
    names = topics or kafka.topics
    with closing(KafkaAdminClient(**patient(kafka))) as admin:
        before = {topic["topic_id"] for topic in admin.describe_topics()}
        admin.delete_topics(list(names))
        wait_until(lambda: not before & {t["topic_id"] for t in admin.describe_topics() if t["name"] in names})


def messages(kafka: KafkaConfiguration) -> dict[TopicPartition, list[ConsumerRecord]]:
    """All that a careful reader sees of both topics now: only what is committed."""
    with closing(KafkaConsumer(**patient(kafka), isolation_level="read_committed", enable_auto_commit=False)) as reader:
        keys = [TopicPartition(topic, n) for topic in kafka.topics for n in range(kafka.partitions)]
        reader.assign(keys)
        reader.seek_to_beginning()
        ends = reader.end_offsets(keys)
        found: dict[TopicPartition, list[ConsumerRecord]] = defaultdict(list)
        deadline = time.monotonic() + SECONDS
        while any(reader.position(key) < end for key, end in ends.items()):
            for key, run in reader.poll(200).items():
                found[key] += run
            assert time.monotonic() < deadline, "the topics could not be read to their end"
        return found


def every_message(kafka: KafkaConfiguration) -> list[ConsumerRecord]:
    return [message for run in messages(kafka).values() for message in run]


def first_seen(runs: dict[TopicPartition, list[ConsumerRecord]]) -> dict[TopicPartition, list[int]]:
    """The positions of each partition without what is repeated, as every reader is told to read."""
    seen: dict[TopicPartition, list[int]] = {}
    for key, run in runs.items():
        positions: list[int] = []
        for record in run:
            position = orjson.loads(record.value)["position"]
            if not positions or position > positions[-1]:
                positions.append(position)
        seen[key] = positions
    return seen


def assert_complete(log: Database, kafka: KafkaConfiguration) -> None:
    """Every event of the log is there once for who drops repetitions, and each stream is in one partition, in order."""
    runs = messages(kafka)
    positions = sorted(position for seen in first_seen(runs).values() for position in seen)
    assert positions == list(range(1, head(log) + 1))
    homes: dict[bytes, set[TopicPartition]] = defaultdict(set)
    for key, run in runs.items():
        for message in run:
            homes[message.key].add(key)
    assert all(len(keys) == 1 for keys in homes.values())
