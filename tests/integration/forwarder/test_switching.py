"""From the log to Kafka, back, and so on: each event is there once whichever way it came, and it is known from outside
how far the sink is, whoever feeds it or does not.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial, partialmethod
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as parquet
import pytest
import zstandard
from clickhouse_connect.driver.client import Client

from cli.bootstrap import System
from consumers.forwarder.bookkeeper import Bookkeeper
from consumers.forwarder.forwarder import Forwarder
from consumers.forwarder.means import Means
from consumers.forwarder.mending.forgetting import forget
from consumers.forwarder.sources.delivery import Span
from consumers.forwarder.sources.kafka import KafkaSource
from consumers.forwarder.sources.log import LogSource
from consumers.forwarder.sources.skipping import is_known
from consumers.forwarder.sources.source import Source
from consumers.forwarder.topology import Route, Topology, Wrong
from consumers.lock import FollowerLock
from domain.errors import Unavailable
from infra.eventlog.followers import Follower, followers
from infra.kafka.configuration import KafkaConfiguration
from infra.postgres.database import Database

from ...kafka.fixtures import kafka, kafka_configuration
from ..kafka.steps import delete_topics, relay_all, restore
from .steps import assert_exactly_once, delete, empty_tables, forward, head, means, record, wait_until
from .steps import running as following
from .test_by_kafka import BY_KAFKA, arrived, running

__all__ = ["kafka", "kafka_configuration"]


@pytest.fixture
def by_kafka(log: Database, url: str, kafka_configuration: KafkaConfiguration) -> Means:
    return replace(means(log, url), kafka=kafka_configuration)


def standing(log: Database, *, wanted: tuple[str, ...] = ("forwarder", "relay")) -> dict[str, Follower]:
    return {one.follower: one for one in followers(log, wanted)}


def note(by_kafka: Means, route: Route = BY_KAFKA) -> None:
    """What the bookkeeper of a forwarder's process does every few seconds."""
    with closing(Bookkeeper(route, by_kafka)) as bookkeeper:
        bookkeeper.look()


def by_way_of_kafka(system: System, clickhouse: Client, by_kafka: Means) -> None:
    log = by_kafka.database
    with running(by_kafka, 2):
        wait_until(lambda: arrived(log, clickhouse))
        record(system, 60)
        wait_until(lambda: arrived(log, clickhouse))
    assert_exactly_once(log, clickhouse)


def test_each_event_is_there_once_however_often_the_way_changes(
    system: System, log: Database, url: str, clickhouse: Client, by_kafka: Means
) -> None:
    for _ in range(2):
        record(system, 100)
        forward(log, url)
        assert_exactly_once(log, clickhouse)
        record(system, 50)
        by_way_of_kafka(system, clickhouse, by_kafka)
        note(by_kafka)
        assert standing(log)["forwarder"].events == 0
    assert head(log) == 420


def test_kafka_is_not_believed_when_clickhouse_was_emptied_under_the_log(
    system: System, log: Database, url: str, clickhouse: Client, by_kafka: Means
) -> None:
    record(system, 100)
    by_way_of_kafka(system, clickhouse, by_kafka)
    forward(log, url)
    empty_tables(clickhouse)
    with running(by_kafka):
        wait_until(lambda: arrived(log, clickhouse))
    assert_exactly_once(log, clickhouse)


def test_what_kafka_had_brought_when_it_was_interrupted_is_not_sent_twice_by_the_log(
    system: System, log: Database, url: str, clickhouse: Client, by_kafka: Means
) -> None:
    record(system, 50)
    by_way_of_kafka(system, clickhouse, by_kafka)
    note(by_kafka)
    record(system, 50)
    with running(by_kafka):
        wait_until(lambda: arrived(log, clickhouse))
    delete(clickhouse, "position % 7 = 3")  # as if some partitions were ahead of the others
    assert standing(log)["forwarder"].position == 110
    forward(log, url)
    assert_exactly_once(log, clickhouse)
    assert standing(log)["forwarder"].events == 0


def test_an_archive_goes_on_where_the_other_way_ended(
    system: System, log: Database, by_kafka: Means, tmp_path: Path
) -> None:
    routes = {way: archive_route(way, tmp_path) for way in ("log", "kafka")}
    assert by_kafka.kafka is not None
    for way in ("log", "kafka", "log", "kafka"):
        record(system, 30)
        relay_all(log, by_kafka.kafka)
        with following(Forwarder(routes[way], by_kafka)):
            wait_until(lambda: archived(tmp_path) == list(range(1, head(log) + 1)))
        if way == "kafka":
            note(by_kafka, routes[way])


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_an_archive_has_each_event_once_also_when_nobody_could_say_how_far_he_was(
    system: System, log: Database, by_kafka: Means, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """As after a kill -9: files were written, and that was noted neither in PostgreSQL nor in Kafka."""
    routes = {
        way: archive_route(way, tmp_path, format=form, batch={"rows": 5, "seconds": 0.05}) for way in ("log", "kafka")
    }
    assert by_kafka.kafka is not None
    for way in ("log", "kafka", "log", "kafka", "kafka", "log", "log"):
        record(system, 60)
        relay_all(log, by_kafka.kafka)
        with monkeypatch.context() as patched:
            killed_after(8, patched)
            with following(Forwarder(routes[way], by_kafka)) as forwarder:
                wait_until(lambda forwarder=forwarder: forwarder.status.snapshot().failures > 0)
        positions = archived(tmp_path)
        assert sorted(set(positions)) == positions
    with following(Forwarder(routes["kafka"], by_kafka)):
        wait_until(lambda: archived(tmp_path) == list(range(1, head(log) + 1)))


def killed_after(acknowledged: int, patched: pytest.MonkeyPatch) -> None:
    """No source gets to acknowledge more batches than that."""
    left = iter(range(acknowledged))

    def acknowledging(acknowledge: Callable[[Source, Span], None], source: Source, span: Span) -> None:
        if next(left, None) is None:
            raise Unavailable("killed")
        acknowledge(source, span)

    for kind in (LogSource, KafkaSource):
        patched.setattr(kind, "acknowledge", partialmethod(partial(acknowledging, kind.acknowledge)))


def test_an_archive_whose_topics_are_made_anew_has_each_event_once(
    system: System, log: Database, by_kafka: Means, tmp_path: Path
) -> None:
    """Offsets begin again, and nobody had noted how far it was."""
    route = archive_route("kafka", tmp_path)
    assert by_kafka.kafka is not None
    for _ in range(3):
        record(system, 60)
        relay_all(log, by_kafka.kafka)
        with following(Forwarder(route, by_kafka)):
            wait_until(lambda: archived(tmp_path) == list(range(1, head(log) + 1)))
        delete_topics(by_kafka.kafka)


def test_an_archive_gets_what_a_restored_log_has_at_the_places_of_what_it_lost(
    system: System, log: Database, by_kafka: Means, tmp_path: Path
) -> None:
    """It keeps that as well: nobody takes anything out of an archive."""
    assert by_kafka.kafka is not None
    route = archive_route("kafka", tmp_path)
    for lost in (20, 0):
        record(system, 30)
        relay_all(log, by_kafka.kafka)
        with following(Forwarder(route, by_kafka)):
            wait_until(lambda: set(archived(tmp_path)) == set(range(1, head(log) + 1)))
        if lost:
            restore(log, head(log) - lost)
    assert head(log) == 40
    assert sorted(archived(tmp_path)) == sorted([*range(1, 41), *range(11, 31)])


def archive_route(way: str, folder: Path, **options: Any) -> Route:
    sink = {"type": "file", "input": way, "folder": str(folder), "batch": {"seconds": 0.05}, **options}
    return Topology.model_validate({"sources": {way: {"type": way}}, "sinks": {"archive": sink}}).route("archive")


def archived(folder: Path) -> list[int]:
    """The first row of each event, by position."""
    rows = [row for file in folder.rglob("*.jsonl.zst") for row in lines_of(file)]
    for file in folder.rglob("*.parquet"):
        rows += parquet.read_table(file, columns=["position", "row"]).to_pylist()
    return sorted(row["position"] for row in rows if row["row"] == 0)


def lines_of(file: Path) -> list[dict[str, Any]]:
    content = zstandard.ZstdDecompressor().decompressobj().decompress(file.read_bytes())
    return [orjson.loads(line) for line in content.splitlines()]


def test_a_forwarder_that_hangs_or_never_started_is_seen_from_outside(
    system: System, log: Database, clickhouse: Client, by_kafka: Means
) -> None:
    record(system, 20)
    never = standing(log)["forwarder"]
    assert (never.position, never.events, never.at_work, never.in_use) == (0, 20, False, True)
    with running(by_kafka):
        wait_until(lambda: arrived(log, clickhouse))
        wait_until(lambda: note(by_kafka) or standing(log)["forwarder"].events == 0)  # it was acknowledged as well
        assert standing(log)["forwarder"].at_work
    wait_until(lambda: not standing(log)["forwarder"].at_work)
    assert by_kafka.kafka is not None
    record(system, 30)
    relay_all(log, by_kafka.kafka)
    note(by_kafka)
    behind = standing(log)["forwarder"]
    assert (behind.position, behind.events, behind.at_work) == (20, 30, False)


def test_what_is_not_in_use_is_no_lag_and_can_be_forgotten(
    system: System, log: Database, clickhouse: Client, by_kafka: Means
) -> None:
    record(system, 20)
    with running(by_kafka):
        wait_until(lambda: arrived(log, clickhouse))
    note(by_kafka)
    wait_until(lambda: not standing(log)["forwarder"].at_work)
    assert by_kafka.kafka is not None
    assert not standing(log, wanted=("forwarder-other",))["forwarder"].in_use
    with log.connect() as connection:
        assert FollowerLock(connection, "forwarder").take()
        assert standing(log, wanted=())["forwarder"].in_use  # somebody feeds it, whatever the topology says
        with pytest.raises(Wrong, match="stop it first"):
            forget("clickhouse", by_kafka)
    wait_until(lambda: not standing(log, wanted=())["forwarder"].at_work)
    assert forget("clickhouse", by_kafka) == 20
    assert not is_known(by_kafka.kafka, "clickhouse")
    assert "forwarder" not in standing(log, wanted=())
    with pytest.raises(Wrong, match="nothing is known of a sink clickhouse"):
        forget("clickhouse", by_kafka)
