"""The log as a file: what comes out of it is what went in, or nothing is."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.bootstrap import System
from cli.rebuilding import prepare
from domain.errors import Conflict, Invalid, NotFound
from domain.events.data import UploadStarted
from infra.eventlog.portable import Header, Imported, PortableReader, Selection, export, import_log
from infra.postgres.database import Database
from projections.registry import REGISTRY, search_path

from ..unit.domain import given as events
from .databases import new_database
from .histories import BEGINNING, ME, STEPS, History, tables

PROJECTIONS = list(REGISTRY.values())


def written(url: str, selection: Selection | None = None) -> bytes:
    target = io.BytesIO()
    with Database(url).connect() as connection:
        export(connection, target, selection or Selection(), "1.0")
    return target.getvalue()


def read_in(url: str, content: bytes, **others: Any) -> Imported:
    with Database(url).connect() as connection:
        done = import_log(connection, PortableReader(io.BytesIO(content)), **others)
    prepare(url)
    return done


def everything(url: str) -> dict[str, list[bytes]]:
    """All that is derived, the log itself, and how far the ids are."""
    with Database(url, search_path=search_path()).connect() as connection:
        content = tables(connection, PROJECTIONS)
        log = connection.execute("SELECT * FROM log.events ORDER BY position")
        content["log"] = [orjson.dumps({**row, "state": bytes(row["state"]).hex()}) for row in log]
        names = "SELECT sequencename AS name, last_value FROM pg_sequences WHERE schemaname = 'log' ORDER BY 1"
        content["sequences"] = [orjson.dumps(row) for row in connection.execute(names)]
    return content


def lines(content: bytes) -> list[bytes]:
    return zstandard.ZstdDecompressor().stream_reader(content).read().splitlines()


def packed(kept: list[bytes]) -> bytes:
    return zstandard.ZstdCompressor().compress(b"".join(line + b"\n" for line in kept))


@pytest.fixture
def elsewhere(postgres: str) -> Iterator[str]:
    """The URL of another database, prepared and without events."""
    with new_database(postgres) as url:
        yield url


@pytest.fixture
def lived(system: System) -> System:
    History(system).live(BEGINNING * 3)
    return system


def test_an_installation_made_from_a_file_is_the_same(lived: System, database_url: str, elsewhere: str) -> None:
    done = read_in(elsewhere, written(database_url))
    assert everything(elsewhere) == everything(database_url)
    assert done.events == done.head == lived.app.recorder.max_notification_id()


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 10_000)), max_size=25), cut=st.floats(0, 1))
def test_any_history_in_any_number_of_files(
    system: System, database_url: str, postgres: str, steps: list[tuple[str, int]], cut: float
) -> None:
    """The one history grows from example to example."""
    History(system).live(BEGINNING + steps)
    head = system.app.recorder.max_notification_id() or 0
    middle = int(head * cut)
    with new_database(postgres) as url:
        read_in(url, written(database_url, Selection(until=middle)))
        read_in(url, written(database_url, Selection(after=middle)))
        assert everything(url) == everything(database_url)


def test_who_goes_on_from_a_copy_gets_new_ids(lived: System, database_url: str, elsewhere: str) -> None:
    from cli.bootstrap import connect

    read_in(elsewhere, written(database_url))
    copy = connect(elsewhere)
    try:
        for kind in ("task", "job", "label", "user"):
            assert copy.app.ids.one(kind) == lived.app.ids.one(kind)
        (given_here,) = list(copy.app.ids.annotations(1))
        assert given_here > 1_000
        assert not copy.database.query("SELECT 1 FROM annotation_objects WHERE id >= %s", (given_here,))
    finally:
        copy.close()


def test_the_file_is_readable(lived: System, database_url: str) -> None:
    header, *rows, trailer = map(orjson.loads, lines(written(database_url)))
    assert (header["format"], header["whole"], header["after"]) == ("annals-log", True, 0)
    assert trailer["events"] == len(rows) == header["until"]
    assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
    created = next(row for row in rows if row["type"] == "TaskCreated")
    assert (created["stream"], created["body"]["name"], created["actor"]) == ("task-1", "cats", "ann")


def test_an_access_token_is_exported_and_files_that_name_none_are_read(
    system: System, database_url: str, elsewhere: str, postgres: str
) -> None:
    system.app.record(replace(ME, access_token_id=12), [UploadStarted(7)])
    header, event, trailer = lines(written(database_url))
    assert orjson.loads(event)["access_token_id"] == 12
    read_in(elsewhere, written(database_url))
    assert everything(elsewhere) == everything(database_url)
    older = orjson.dumps({name: value for name, value in orjson.loads(event).items() if name != "access_token_id"})
    digest = hashlib.sha256(header + b"\n" + older + b"\n").hexdigest()
    with new_database(postgres) as url:
        read_in(url, packed([header, older, orjson.dumps({**orjson.loads(trailer), "sha256": digest})]))
        with Database(url).connect() as connection:
            (row,) = connection.execute("SELECT stream, access_token_id FROM log.events")
        assert row == {"stream": "data-7", "access_token_id": None}


def test_a_selection_can_be_read_but_not_imported(lived: System, database_url: str, elsewhere: str) -> None:
    events_of = lived.app.recorder.select_events("task-1")
    content = written(database_url, Selection(streams=["task-1"]))
    assert [orjson.loads(line)["stream"] for line in lines(content)[1:-1]] == ["task-1"] * len(events_of)
    with pytest.raises(Invalid, match="selection"):
        read_in(elsewhere, content)
    times = [orjson.loads(line)["time"] for line in lines(written(database_url))[1:-1]]
    first = lived.app.recorder.select_notifications(1, 1)[0].meta.time
    later = written(database_url, Selection(since=first + timedelta(microseconds=1)))
    earlier = written(database_url, Selection(before=first + timedelta(microseconds=1)))
    both = [orjson.loads(line)["time"] for content in (earlier, later) for line in lines(content)[1:-1]]
    assert both == times
    assert len(lines(earlier)) < len(times)


Change = Callable[[list[bytes]], list[bytes]]


def header_with(**fields: Any) -> Change:
    return lambda kept: [orjson.dumps({**orjson.loads(kept[0]), **fields}), *kept[1:]]


DAMAGES: list[tuple[Change, str]] = [
    (lambda kept: kept[:-1], "cut off"),
    (lambda kept: kept[:5], "cut off"),
    (lambda kept: [*kept[:3], *kept[4:]], "no event at position 3"),
    (lambda kept: [kept[0], kept[1].replace(b"ann", b"bob"), *kept[2:]], "altered"),
    (lambda kept: [*kept[:-2], kept[-1]], "altered"),
    (lambda kept: [*kept, b"{}"], "goes on after its end"),
    (lambda kept: [b"[]", *kept[1:]], "no object"),
    (lambda kept: [b"{}", *kept[1:]], "not a log"),
    (lambda kept: [kept[0], b'{"position":1,', *kept[2:]], "damaged"),
    (header_with(version=2), "another version"),
    (header_with(until=10**6), "ends at position|altered"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGES)
def test_a_damaged_file_changes_nothing(
    lived: System, database_url: str, elsewhere: str, damage: Change, message: str
) -> None:
    before = everything(elsewhere)
    with pytest.raises(Invalid, match=message):
        read_in(elsewhere, packed(damage(lines(written(database_url)))))
    assert everything(elsewhere) == before


@pytest.mark.parametrize("content", [b"", b"not compressed", packed([b"x"])])
def test_what_is_no_log_is_refused(elsewhere: str, content: bytes) -> None:
    with pytest.raises(Invalid):
        read_in(elsewhere, content)


def test_a_file_cut_in_the_middle_of_its_bytes_is_refused(lived: System, database_url: str, elsewhere: str) -> None:
    content = written(database_url)
    with pytest.raises(Invalid):
        read_in(elsewhere, content[: len(content) * 2 // 3])


def test_a_log_that_holds_something_else_is_not_written_over(lived: System, database_url: str) -> None:
    content, before = written(database_url), everything(database_url)
    with pytest.raises(Conflict, match="the file begins behind position 0"):
        read_in(database_url, content)
    assert everything(database_url) == before


def test_events_of_a_newer_version_are_refused(lived: System, database_url: str, elsewhere: str) -> None:
    header, first, *rest = lines(written(database_url))
    for name, value in (("type", "FromTheFuture"), ("schema_version", 99)):
        changed = orjson.dumps({**orjson.loads(first), name: value})
        with pytest.raises(Invalid, match="newer version"):
            read_in(elsewhere, packed([header, changed, *rest]))


def test_what_goes_wrong_at_the_end_undoes_everything(lived: System, database_url: str, elsewhere: str) -> None:
    before = everything(elsewhere)

    def fail() -> None:
        raise NotFound("a blob is missing")

    with pytest.raises(NotFound):
        read_in(elsewhere, written(database_url), finish=fail)
    assert everything(elsewhere) == before


def test_memory_stays_the_same_however_many_events_there_are(system: System, database_url: str, elsewhere: str) -> None:
    body = events.rectangle()
    system.app.record(ME, [events.task(1), events.labels(task_id=1), events.job(5, 1)])
    for _ in range(20):
        system.app.annotations.create(ME, 5, {"shapes": [body] * 2_000})
    peaks = []
    for until in (5, 23):
        content = written(database_url, Selection(until=until))
        tracemalloc.start()
        with Database(elsewhere).connect() as other, other.transaction(force_rollback=True):
            import_log(other, PortableReader(io.BytesIO(content)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5


def test_the_header_tells_what_the_file_is(lived: System, database_url: str) -> None:
    reader = PortableReader(io.BytesIO(written(database_url, Selection(after=3, until=5))))
    assert isinstance(reader.header, Header)
    assert (reader.header.after, reader.header.until, reader.header.annals) == (3, 5, "1.0")
    assert len(list(reader.events())) == 2
