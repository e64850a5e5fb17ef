"""`GET /api/log/stream`: how many events a second readers get, of a log that is there and of one that grows."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg

from bench.report import Figure, Section
from bench.scenarios.log import write
from bench.scenarios.submit import Jobs
from bench.scenarios.tasks import client_of, create, tiny_pictures
from bench.server import Server, running
from bench.yardstick import yardstick

READERS = 20
GOAL = "5,000/s"


def measure() -> Section:
    with running(workers=2) as server, tempfile.TemporaryDirectory() as folder:
        jobs = Jobs(create(client_of(server), tiny_pictures(Path(folder), 100), 1))
        yard = yardstick(server.database_url)
        quiet = write(server, jobs, "tag", 1)
        history = _head(server)
        seconds = _read(server, history)
        alone = write(server, jobs, "tag", 1)
        watched, behind = _watched(server, jobs)
        figures = [
            Figure("one reader of a log that is there", f"{history / seconds:,.0f} events/s", None, GOAL),
            Figure("writers beside no reader", f"{quiet:,.0f} and {alone:,.0f} saves/s", alone / yard),
            Figure(f"writers beside {READERS} readers", f"{watched:,.0f} saves/s", watched / yard),
            Figure(f"the last of the {READERS} readers has everything after", f"{behind:.2f} s"),
        ]
    return Section("Streams of events", yard, figures)


def _watched(server: Server, jobs: Jobs) -> tuple[float, float]:
    """Saves per second, and the seconds from the last save to the last reader's having it."""
    before = _head(server)
    positions = [before] * READERS
    done = threading.Event()

    def read(number: int) -> None:
        for position in _positions(server, before):
            positions[number] = position
            if done.is_set():
                return

    readers = [threading.Thread(target=read, args=(number,), daemon=True) for number in range(READERS)]
    for reader in readers:
        reader.start()
    rate = write(server, jobs, "tag", 1)
    written, last = time.perf_counter(), _head(server)
    while min(positions) < last:
        time.sleep(0.005)
    behind = time.perf_counter() - written
    done.set()
    return rate, behind


def _read(server: Server, until: int) -> float:
    """Seconds that a reader takes from the beginning to a position."""
    started = time.perf_counter()
    for position in _positions(server, 0):
        if position >= until:
            break
    return time.perf_counter() - started


def _positions(server: Server, after: int) -> Iterator[int]:
    """How far a reader has come, again and again. The last event of a piece may be cut in two; the next has it."""
    headers = {"Authorization": f"Token {server.token}", "Last-Event-ID": str(after)}
    rest = b""
    with httpx.stream("GET", f"{server.url}/api/log/stream", headers=headers, timeout=30) as answer:
        for piece in answer.iter_bytes():
            lines = (rest + piece).split(b"\n")
            rest = lines.pop()
            ids = [line for line in lines if line.startswith(b"id: ")]
            if ids:
                yield int(ids[-1][4:])


def _head(server: Server) -> int:
    with psycopg.connect(server.database_url) as connection:
        row = connection.execute("SELECT max(position) FROM log.events").fetchone()
    return int(row[0]) if row else 0
