"""`GET /api/log`, in pages and as a stream: everything that one may see, in order, once."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cvat_sdk import Client

from api import log_stream
from domain.event import SYSTEM, Context
from domain.events.data import UploadStarted

from .conftest import ADMIN, Server
from .shared import head
from .streets import Street, patch, street_of

ANN = ("ann", "correct horse")
WAIT = 60.0
SHORT, LONG = 0.2, 5.0
"""Seconds that a reader waits for the next line before it leaves and comes again: longer each time that nothing has
come, as on a machine that takes longer than that to answer.
"""


@pytest.fixture
def street(client: Client, tmp_path: Path) -> Street:
    return street_of(client, tmp_path)


def pages(http: httpx.Client, **params: Any) -> list[dict[str, Any]]:
    """All pages of a list."""
    found: list[dict[str, Any]] = []
    after = 0
    while True:
        answer = http.get("/api/log", params={"after": after, **params}).raise_for_status().json()
        found += answer["results"]
        if answer["next"] is None:
            return found
        assert answer["next"] > after
        after = answer["next"]


class Reader:
    """Reads a stream in a thread of its own, until it is left."""

    def __init__(self, http: httpx.Client, last: int | None = None, **params: Any) -> None:
        headers = {"Last-Event-ID": str(last)} if last is not None else {}
        self.events: list[tuple[int, str, dict[str, Any]]] = []
        self._http, self._headers, self._params = http, headers, params
        self._left = threading.Event()
        self.opened = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> Reader:
        self._thread.start()
        assert self.opened.wait(WAIT)
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._thread.join(WAIT)
        assert not self._thread.is_alive()

    @property
    def positions(self) -> list[int]:
        return [position for position, _, _ in self.events]

    def wait(self, position: int) -> None:
        deadline = time.monotonic() + WAIT
        while not self.events or self.events[-1][0] < position:
            assert time.monotonic() < deadline, self.positions[-3:]
            time.sleep(0.01)

    def _read(self) -> None:
        patience = SHORT
        while not self._left.is_set():
            seen, known = len(self.events), bool(self.events or self._headers)
            last = {"Last-Event-ID": str(self.positions[-1])} if self.events else self._headers
            # Who names no position must not leave before anything has come: nobody knows where it would resume.
            timeout = httpx.Timeout(60, read=patience if known else WAIT)
            try:
                with self._http.stream(
                    "GET", "/api/log/stream", headers=last, params=self._params, timeout=timeout
                ) as answer:
                    answer.raise_for_status()
                    self._take(answer.iter_lines(), once=not known)
            except httpx.ReadTimeout:
                pass  # and resume: what came meanwhile must not be lost
            patience = SHORT if len(self.events) > seen else min(2 * patience, LONG)

    def _take(self, lines: Iterator[str], *, once: bool) -> None:
        fields: dict[str, str] = {}
        for line in lines:
            self.opened.set()
            name, _, value = line.partition(": ")
            if name:
                fields[name] = value
            elif "data" in fields:
                self.events.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
                fields = {}
            if self._left.is_set() or (once and self.events):
                return


def save(server: Server, count: int) -> None:
    for _ in range(count):
        server.system.app.record(Context(SYSTEM), [UploadStarted(1)])


def test_pages_hold_everything_in_order(street: Street, http: httpx.Client, server: Server) -> None:
    found = pages(http, limit=3)
    assert [event["position"] for event in found] == list(range(1, head(server) + 1))
    assert found == pages(http)
    created = next(event for event in found if event["type"] == "TaskCreated")
    assert created["id"] == f"task-{street.task.id}@1"
    assert (created["actor"], created["task_id"], created["body"]["name"]) == ("admin", street.task.id, "street")
    assert created["time"].endswith("Z")


def test_filters_find_what_is_asked_for(street: Street, http: httpx.Client) -> None:
    patch(http, street.url, "create", shapes=[street.box()])
    everything = pages(http)
    times = sorted(event["time"] for event in everything)
    middle = times[len(times) // 2]
    expected = {
        "stream": (f"job-{street.first.id}", lambda e: e["stream"] == f"job-{street.first.id}"),
        "types": ("JobCreated,TaskCreated", lambda e: e["type"] in ("JobCreated", "TaskCreated")),
        "task_id": (street.task.id, lambda e: e["task_id"] == street.task.id),
        "job_id": (street.first.id, lambda e: e["job_id"] == street.first.id),
        "actor_id": (1, lambda e: e["actor_id"] == 1),
        "since": (middle, lambda e: e["time"] >= middle),
        "before": (middle, lambda e: e["time"] < middle),
    }
    for name, (value, holds) in expected.items():
        found = pages(http, **{name: value}, limit=2)
        assert found == [event for event in everything if holds(event)], name
        assert 0 < len(found) < len(everything), name


def test_secrets_are_not_told(http: httpx.Client, server: Server) -> None:
    server.add_user(ANN)
    http.post("/api/auth/login", json={"username": ANN[0], "password": ANN[1]})
    text = http.get("/api/log").text
    assert '"password_hash":"(hidden)"' in text
    assert "argon2" not in text
    rows = server.system.database.query("SELECT cookie_hash, token_hash FROM logins")
    assert rows
    assert not any(value in text for row in rows for value in row.values())


def test_others_see_what_is_theirs(street: Street, http: httpx.Client, server: Server) -> None:
    ann_id = server.add_user(ANN)
    ann = server.http(ANN)
    assert {event["stream"] for event in pages(ann)} == {f"user-{ann_id}"}
    http.patch(f"/api/jobs/{street.first.id}", json={"assignee": ann_id}).raise_for_status()
    patch(http, street.url, "create", shapes=[street.box()])
    streams = {event["stream"] for event in pages(ann)}
    assert streams == {f"user-{ann_id}", f"job-{street.first.id}", f"annotations-{street.first.id}"}
    mine = ann.post("/api/tasks", json={"name": "mine", "labels": [{"name": "cat"}]}).json()
    assert f"task-{mine['id']}" in {event["stream"] for event in pages(ann)}
    ann.delete(f"/api/tasks/{mine['id']}").raise_for_status()
    assert f"task-{mine['id']}" not in {event["stream"] for event in pages(ann)}
    assert len(pages(ann, task_id=street.task.id, stream=f"task-{street.task.id}")) == 0


@pytest.mark.parametrize(
    "query",
    [
        "types=Nothing",
        "after=-1",
        "after=x",
        "limit=1.5",
        "task_id=a",
        "since=yesterday",
        "stream=%00",
        "job_id=" + "9" * 19,
    ],
)
def test_a_filter_that_is_none_is_refused(http: httpx.Client, query: str) -> None:
    paths = ["/api/log", "/api/log/stream"] if "limit" not in query else ["/api/log"]
    for path in paths:
        assert http.get(f"{path}?{query}").status_code == 400


def test_nobody_reads_it_without_credentials(server: Server) -> None:
    for path in ("/api/log", "/api/log/stream"):
        assert httpx.get(server.url + path).status_code == 401


def test_a_stream_gives_what_was_and_what_comes(street: Street, http: httpx.Client, server: Server) -> None:
    with Reader(http, last=0) as reader:
        reader.wait(head(server))
        save(server, 5)
        reader.wait(head(server))
    assert reader.positions == list(range(1, head(server) + 1))
    assert [event for _, _, event in reader.events] == pages(http)
    assert reader.events[-1][1] == "UploadStarted"


def test_without_a_position_only_what_comes_is_given(http: httpx.Client, server: Server) -> None:
    save(server, 3)
    before = head(server)
    with Reader(http) as reader:
        save(server, 2)
        reader.wait(before + 2)
    assert reader.positions == [before + 1, before + 2]


def test_filters_hold_for_streams_too(street: Street, http: httpx.Client, server: Server) -> None:
    with Reader(http, last=0, types="JobCreated,UploadStarted", task_id=street.task.id) as reader:
        server.system.app.record(Context(SYSTEM), [UploadStarted(99), UploadStarted(street.task.id)])
        reader.wait(head(server))
    assert [name for _, name, _ in reader.events] == ["JobCreated", "JobCreated", "UploadStarted"]


def test_others_get_in_a_stream_what_they_get_in_pages(street: Street, http: httpx.Client, server: Server) -> None:
    ann_id = server.add_user(ANN)
    ann = server.http(ANN)
    with Reader(ann, last=0) as reader:
        http.patch(f"/api/jobs/{street.first.id}", json={"assignee": ann_id}).raise_for_status()
        patch(http, street.url, "create", shapes=[street.box()])
        save(server, 3)
        last = pages(ann)[-1]["position"]
        reader.wait(last)
    # What was hers only later is not told afterwards; what is told is hers.
    assert set(reader.positions) <= {event["position"] for event in pages(ann)}
    assert last in reader.positions


def test_nothing_is_lost_or_doubled_by_readers_who_come_and_go_while_many_write(
    http: httpx.Client, server: Server
) -> None:
    """`Reader` leaves the connection whenever nothing has come for a moment, and resumes."""
    before = head(server)
    with Reader(http, last=before) as one, Reader(http, last=0) as other:
        writers = [threading.Thread(target=save, args=(server, 200)) for _ in range(4)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        one.wait(before + 800)
        other.wait(before + 800)
    assert one.positions == list(range(before + 1, before + 801))
    assert other.positions == list(range(1, before + 801))


def test_no_reader_gets_ahead_of_an_append_that_is_held_open(http: httpx.Client, server: Server) -> None:
    before = head(server)
    with Reader(http, last=before) as reader:
        with server.system.app.recorder.append_transaction() as cursor:
            cursor.execute(
                "INSERT INTO log.events (position, stream, version, type, schema_version, time, source, task_id, state)"
                " SELECT %s, 'data-77', 1, 'UploadStarted', 1, now(), 'test', 77, '{\"task_id\": 77}'",
                (before + 1,),
            )
            writer = threading.Thread(target=save, args=(server, 3))
            writer.start()
            time.sleep(0.3)
            assert reader.positions == []
            assert head(server) == before
        writer.join()
        reader.wait(before + 4)
    assert reader.positions == [before + number for number in range(1, 5)]


@contextmanager
def reading_nothing(server: Server) -> Iterator[socket.socket]:
    """A client that opens a stream from the beginning, and takes nothing out of it."""
    with socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
        token = server.http().post("/api/auth/login", json={"username": "admin", "password": "correct horse"})
        head_ = f"GET /api/log/stream?after=0 HTTP/1.1\r\nHost: a\r\nAuthorization: Token {token.json()['key']}\r\n\r\n"
        slow.sendall(head_.encode())
        yield slow


def test_a_slow_reader_hinders_nobody_and_catches_up(
    http: httpx.Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    tail = server.services.log_streams._tail
    monkeypatch.setattr(tail, "_max_bytes", 50_000)
    with reading_nothing(server) as slow, Reader(http, last=0) as quick:
        for _ in range(10):
            save(server, 100)
            quick.wait(head(server))
        last = f"id: {head(server)}\n".encode()
        received = b""
        slow.settimeout(WAIT)
        while last not in received:
            received += slow.recv(65_536)
    numbers = [int(line[4:]) for line in received.splitlines() if line.startswith(b"id: ")]
    assert numbers == list(range(1, head(server) + 1))
    assert quick.positions == numbers


def test_the_number_of_streams_is_bounded_and_the_refusal_says_why(
    http: httpx.Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_stream, "MAX_STREAMS_PER_USER", 1)
    with http.stream("GET", "/api/log/stream?after=0") as first:
        lines = first.iter_lines()  # kept: without it the connection is closed
        next(lines)
        refused = http.get("/api/log/stream")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
    assert refused.json() == {"detail": "You have 1 streams of events open already: close one first"}


def test_a_stream_ends_when_its_reader_is_logged_out(
    http: httpx.Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_stream, "LOOK_SECONDS", 0.05)
    key = http.post("/api/auth/login", json={"username": ADMIN[0], "password": ADMIN[1]}).json()["key"]
    token = {"Authorization": f"Token {key}"}
    with httpx.stream("GET", f"{server.url}/api/log/stream", headers=token, timeout=WAIT) as answer:
        lines = answer.iter_lines()
        next(lines)
        httpx.post(f"{server.url}/api/auth/logout", headers=token).raise_for_status()
        for _ in lines:  # until it ends
            pass


def test_an_event_of_a_newer_version_is_told_without_its_body(http: httpx.Client, server: Server) -> None:
    server.doctored = True
    before = head(server)
    with Reader(http, last=before) as reader:
        save(server, 1)
        with server.system.database.connect() as connection:
            connection.execute(
                "INSERT INTO log.events (position, stream, version, type, schema_version, time, source, state)"
                " VALUES (%s, 'moon-1', 1, 'MoonLanding', 1, now(), 'test', '{}')",
                (before + 2,),
            )
        save(server, 1)
        reader.wait(before + 3)
    assert [name for _, name, _ in reader.events] == ["UploadStarted", "MoonLanding", "UploadStarted"]
    assert reader.events[1][2]["body"] is None
    assert pages(http)[before + 1]["body"] is None
