"""What an event is in PostgreSQL: its columns, its payload, its secrets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import zstandard

from cli.bootstrap import System
from domain.errors import Invalid, VersionConflict
from domain.event import Actor, Context, Event
from domain.events.annotations import AnnotationsChanged
from domain.events.data import UploadStarted
from domain.events.job import JobCreated
from domain.project import NewProject
from domain.task import NewTask
from infra.eventlog.mapper import COMPRESS_FROM, MAX_PAYLOAD, ZSTD_MAGIC, ZstdCompressor
from infra.eventlog.reader import LogReader

from ..unit.domain import given
from ..unit.domain.given import ANN

SHAPES = 50_000


def state(system: System, position: int) -> bytes:
    row = system.database.query_one("SELECT state FROM log.events WHERE position = %s", (position,))
    assert row is not None
    return bytes(row["state"])


def read(system: System) -> list[Event]:
    with system.database.connection() as connection:
        return [event for batch in LogReader().read(connection, 0, 2**62) for event in batch]


def test_an_event_carries_who_did_it_when_and_through_what(system: System) -> None:
    actor = Actor(4, "bob", "b@example.org", organization_id=9, organization="zoo")
    context = Context(actor, "worker", "request-1", "task-7@1", "cvat_sdk/2.80.0", access_token_id=12)
    before = datetime.now(UTC)
    (event,) = system.app.record(context, [given.job(5, 7, project_id=3)])
    row = system.database.query_one("SELECT * FROM log.events")
    assert row is not None
    time = row.pop("time")
    assert before <= time <= datetime.now(UTC)
    assert time.utcoffset() == timedelta(0)
    assert row.pop("state") == orjson.dumps(given.job(5, 7, project_id=3))
    assert row == {
        "position": 1,
        "stream": "job-5",
        "version": 1,
        "type": "JobCreated",
        "schema_version": JobCreated.schema_version,
        "source": "worker",
        "actor_id": 4,
        "actor": "bob",
        "organization_id": 9,
        "organization": "zoo",
        "project_id": 3,
        "task_id": 7,
        "job_id": 5,
        "correlation_id": "request-1",
        "causation_id": "task-7@1",
        "user_agent": "cvat_sdk/2.80.0",
        "idempotency_key": None,
        "access_token_id": 12,
        "actor_email": "b@example.org",
    }
    assert read(system) == [event] == list(system.app.events.get("job-5"))
    assert event.meta.time == time


def test_a_column_that_a_later_version_adds_does_not_stop_this_one(system: System) -> None:
    """It goes on while the other one starts, also on the connection that its statements are prepared on."""
    system.app.record(ANN, [UploadStarted(7)])
    with system.database.connection() as connection:
        connection.execute("ALTER TABLE log.events ADD COLUMN later bytea")
    system.app.record(ANN, [UploadStarted(8)])
    assert [event.body for event in read(system)] == [UploadStarted(7), UploadStarted(8)]


def test_every_event_of_a_save_has_the_same_time(system: System) -> None:
    system.app.tasks.create(ANN, NewTask("cats", [{"name": "cat"}]))
    assert len({event.meta.time for event in read(system)}) == 1


def test_what_reads_back_is_what_was_written(system: System) -> None:
    system.app.projects.create(ANN, NewProject("Ærø 豆 🐱", [{"name": "cät"}]))
    events = read(system)
    stream = list(system.app.events.get("project-1"))
    assert events == stream
    assert [event.id for event in events] == ["project-1@1", "project-1@2"]


@pytest.mark.parametrize("version", [1, 3])
def test_an_event_that_brings_its_version_brings_the_next_one(system: System, version: int) -> None:
    (first,) = system.app.record(ANN, [UploadStarted(7)])
    with pytest.raises(VersionConflict):
        system.app.events.put([Event("data-7", version, UploadStarted(7), first.meta)])
    system.app.events.put([Event("data-7", 2, UploadStarted(7), first.meta)])
    assert [event.id for event in read(system)] == ["data-7@1", "data-7@2"]


def test_a_large_payload_is_compressed_and_reads_back(system: System) -> None:
    shapes = [
        {"id": number, "frame": number % 100, "label_id": 1, "type": "rectangle", "points": [0.5, number, 3, 4.25]}
        for number in range(SHAPES)
    ]
    body = AnnotationsChanged(5, 7, None, created={"shapes": shapes}, updated={}, removed={})
    system.app.record(ANN, [body, UploadStarted(7)])
    large, small = state(system, 1), state(system, 2)
    assert large.startswith(ZSTD_MAGIC)
    assert len(large) * 5 < len(orjson.dumps(body))
    assert small == b'{"task_id":7}'
    assert [event.body for event in read(system)] == [body, UploadStarted(7)]
    rows = system.database.query("SELECT count(*) FROM annotation_objects")
    assert rows == [{"count": SHAPES}]


@pytest.mark.parametrize("size", [0, COMPRESS_FROM - 1, COMPRESS_FROM, COMPRESS_FROM + 1, 100_000])
def test_compression_starts_where_it_pays_and_loses_nothing(size: int) -> None:
    compressor = ZstdCompressor()
    data = orjson.dumps("x" * max(0, size - 2))[: max(size, 2)]
    packed = compressor.compress(data)
    assert packed.startswith(ZSTD_MAGIC) is (len(data) >= COMPRESS_FROM)
    assert compressor.decompress(packed) == data


def test_a_payload_that_claims_to_be_huge_is_refused() -> None:
    packed = zstandard.ZstdCompressor().compress(bytes(2 * COMPRESS_FROM))
    assert ZstdCompressor().decompress(packed) == bytes(2 * COMPRESS_FROM)
    parameters = zstandard.get_frame_parameters(packed)
    assert parameters.content_size == 2 * COMPRESS_FROM
    # The frame's header: magic, descriptor (an eight-byte content size), window, size.
    claim = ZSTD_MAGIC + b"\xc0" + b"\x00" + (MAX_PAYLOAD + 1).to_bytes(8, "little") + packed[7:]
    with pytest.raises(ValueError, match="claims"):
        ZstdCompressor().decompress(claim)


def test_no_secret_is_in_the_database(system: System) -> None:
    user_id = system.app.users.register(ANN, "ann", "a-secret-word")
    login = system.app.users.log_in(ANN, user_id)
    system.app.users.change_password(ANN, user_id, "another-secret-word")
    login_again = system.app.users.log_in(ANN, user_id)
    secrets = ["a-secret-word", "another-secret-word"]
    secrets += [secret for each in (login, login_again) for secret in (each.cookie, each.token)]
    stored = b"".join(state(system, position) for position in range(1, 5))
    stored += orjson.dumps(system.database.query("SELECT * FROM users, logins"))
    assert all(secret.encode() not in stored for secret in secrets)
    assert b"$argon2id$" in stored
    assert len(system.database.query("SELECT 1 FROM logins")) == 1, "the new password ended the first login"


@pytest.mark.parametrize(
    "wanted",
    [
        NewTask("nul \0", []),
        NewTask("half of a pair \ud83d", []),
        NewTask("beyond integers", [], segment_size=2**31),
        NewTask("beyond JSON", [], segment_size=2**80),
    ],
)
def test_values_that_no_column_takes_are_refused_in_words(system: System, wanted: NewTask) -> None:
    with pytest.raises(Invalid, match="cannot be stored"):
        system.app.tasks.create(ANN, wanted)
    assert read(system) == []
    system.app.tasks.create(ANN, NewTask("fine", []))


def test_a_value_too_long_for_an_index_is_refused_in_words(system: System) -> None:
    long: Any = "".join(chr(0x4E00 + number * 7 % 20_000) for number in range(5_000))
    with pytest.raises(Invalid, match="cannot be stored"):
        system.app.users.register(ANN, "ann", "a-secret-word", email=long)
    assert read(system) == []
