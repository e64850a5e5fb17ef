"""An archive beside ClickHouse: a route of its own, whole files, each event in exactly one of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard

from cli.bootstrap import System
from consumers.forwarder import shaping
from consumers.forwarder.dead_letters import DeadLetter, listed
from consumers.forwarder.forwarder import Forwarder
from consumers.forwarder.mending.resending import resend
from consumers.forwarder.rows import COLUMNS, TableRow
from consumers.forwarder.rows import table_rows as rows
from consumers.forwarder.status import lag
from consumers.forwarder.topology import Route, Topology
from domain.errors import AnnalsError
from domain.event import Event
from infra.postgres.database import Database

from ...waiting import wait_until
from .steps import REPOSITORY, SECONDS, means, record

KILLED_WHILE_WRITING = """
import os, signal, sys, threading
from pathlib import Path
from consumers.forwarder.forwarder import Forwarder
from infra.postgres.database import Database
from tests.integration.forwarder.steps import means
from tests.integration.forwarder.test_archive import archive
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
route = archive(Path(sys.argv[2]))
Forwarder(route, means(Database(sys.argv[1]), "http://127.0.0.1:9")).run(threading.Event())
"""


def archive(folder: Path, **sink: Any) -> Route:
    sinks = {"archive": {"type": "file", "input": "log", "folder": str(folder), **sink}}
    return Topology.model_validate({"sources": {"log": {"type": "log"}}, "sinks": sinks}).route("archive")


def run(route: Route, log: Database) -> None:
    """Until it has everything. There is no ClickHouse, and none is needed."""
    forwarder, stop = Forwarder(route, means(log, "http://127.0.0.1:9")), threading.Event()
    thread = threading.Thread(target=forwarder.run, args=(stop,))
    thread.start()
    try:
        wait_until(lambda: behind(log, route) == 0)
    finally:
        stop.set()
        thread.join(SECONDS)


def behind(log: Database, route: Route) -> int:
    with log.connect() as connection:
        return lag(connection, route.consumer).events


def lines(folder: Path) -> list[dict[str, Any]]:
    unpack = zstandard.ZstdDecompressor()
    texts = [unpack.stream_reader(file.read_bytes()).read() for file in sorted(folder.rglob("*.jsonl.zst"))]
    return [orjson.loads(line) for text in texts for line in text.splitlines()]


def test_json_lines_hold_every_event_once(system: System, log: Database, tmp_path: Path) -> None:
    route = archive(tmp_path / "archive", batch={"rows": 100, "seconds": 0.05})
    record(system, 250)
    run(route, log)
    record(system, 50)
    run(route, log)
    rows = lines(tmp_path / "archive")
    assert [(row["position"], row["row"]) for row in rows] == [
        (position, row) for position in range(1, 301) for row in range(1 + position % 2)
    ]
    assert rows[0]["timestamp"].endswith("+00:00")
    names = [file.name for file in sorted((tmp_path / "archive").rglob("*.zst"))]
    assert names[0].startswith("log-000000000001-")


def test_a_batch_that_is_sent_again_is_the_same_file(system: System, log: Database, tmp_path: Path) -> None:
    route = archive(tmp_path / "archive", batch={"rows": 100, "seconds": 0.05})
    record(system, 250)
    run(route, log)
    before = {file: file.read_bytes() for file in (tmp_path / "archive").rglob("*.zst")}
    log.query("UPDATE log.checkpoints SET position = 0 WHERE consumer = 'forwarder-archive' RETURNING 1")
    run(
        archive(tmp_path / "archive", batch={"rows": 100, "seconds": 0.05}), log
    )  # the announced run up to the end comes in one piece
    again = {file: file.read_bytes() for file in (tmp_path / "archive").rglob("*.zst")}
    assert before.items() <= again.items()
    assert len(again) == len(before) + 1


def test_what_a_killed_forwarder_had_begun_is_swept(system: System, log: Database, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    record(system, 50)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_WRITING, log.url, str(folder)],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    )
    assert killed.returncode == -signal.SIGKILL
    (begun,) = folder.rglob("*.unfinished")
    # As if the batch were cut elsewhere now: it would be replaced otherwise.
    begun = begun.rename(begun.with_name("log-000000000001-000000000007.parquet.unfinished"))
    somebody_elses = folder / "notes.unfinished"
    somebody_elses.touch()
    run(archive(folder), log)
    assert not begun.exists()
    assert somebody_elses.exists()
    assert sorted({row["position"] for row in lines(folder)}) == list(range(1, 51))


def test_parquet_has_the_columns_and_types_of_the_table(system: System, log: Database, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    record(system, 40)
    run(archive(tmp_path / "archive", format="parquet"), log)
    table = parquet.read_table(tmp_path / "archive")
    assert table.num_rows == 60
    assert (str(table.schema.field("timestamp").type), str(table.schema.field("position").type)) == (
        "timestamp[ms, tz=UTC]",
        "uint64",
    )
    assert sorted(set(table["position"].to_pylist())) == list(range(1, 41))


def test_what_has_no_form_waits_as_a_dead_letter_until_it_has(
    system: System, log: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    route, given = archive(tmp_path / "archive", format="parquet"), means(log, "http://127.0.0.1:9")
    record(system, 20)
    monkeypatch.setattr(shaping, "table_rows", lambda event: unwritable(event) if event.position == 7 else rows(event))
    run(route, log)
    (letter,) = letters(log, route)
    assert (letter.position, letter.stage) == (7, "insert")
    assert "duration" in letter.error
    assert resend(route, given, [letter]).dead != []
    assert positions(parquet, tmp_path) == sorted({*range(1, 21)} - {7})
    monkeypatch.undo()
    assert resend(route, given, [letter]).delivered == 1
    assert letters(log, route) == []
    assert positions(parquet, tmp_path) == list(range(1, 21))


def unwritable(event: Event) -> list[TableRow]:
    """A row with a duration that its column can't hold."""
    place = list(COLUMNS).index("duration")
    return [(*row[:place], 2**33, *row[place + 1 :]) for row in rows(event)]


def letters(log: Database, route: Route) -> list[DeadLetter]:
    with log.connect() as connection:
        return listed(connection, route.consumer)


def positions(parquet: Any, folder: Path) -> list[int]:
    return sorted(set(parquet.read_table(folder / "archive")["position"].to_pylist()))


def test_a_folder_that_cannot_be_written_is_waited_for(system: System, log: Database, tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("a file where the folder should be")
    route = archive(tmp_path / "archive")
    record(system, 10)
    forwarder, stop = Forwarder(route, means(log, "http://127.0.0.1:9")), threading.Event()
    thread = threading.Thread(target=forwarder.run, args=(stop,))
    thread.start()
    try:
        wait_until(lambda: forwarder.status.snapshot().failures >= 2)
        assert "can't be written" in str(forwarder.status.snapshot().last_error)
        (tmp_path / "archive").unlink()
        wait_until(lambda: behind(log, route) == 0)
    finally:
        stop.set()
        thread.join(SECONDS)
    assert len(lines(tmp_path / "archive")) == 15


def test_parquet_without_its_library_says_what_to_do() -> None:
    script = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from pathlib import Path\n"
        "from consumers.forwarder.sinks.files import FileSink\n"
        "FileSink(Path('/nowhere'), 'parquet')"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert f"{AnnalsError.__name__}: Parquet needs pyarrow" in ended.stderr
