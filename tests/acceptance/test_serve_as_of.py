"""The past is served through the same API, and changes nothing of the present."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest
from cvat_sdk import make_client, models

from ..waiting import wait_until
from .conftest import REPOSITORY, Served, annals_environment

PHOTOS = sorted((REPOSITORY / "examples" / "photos").glob("*.*g"))
PASSWORD = "correct horse battery"
FRAME = "/api/tasks/1/data?type=frame&number=1&quality=original"
PATHS = (
    *("/api/tasks", "/api/tasks/1", "/api/jobs", "/api/jobs/1", "/api/labels", "/api/labels?task_id=1"),
    *("/api/tasks/1/annotations", "/api/jobs/1/annotations", "/api/tasks/1/data/meta", "/api/requests", "/api/users"),
    *(FRAME, "/api/jobs/1/data?type=chunk&number=0&quality=compressed"),
)

Seen = dict[str, tuple[int, str | None, bytes]]


def seen(http: httpx.Client) -> Seen:
    """What a client sees of everything: status, version and content."""
    answers = {path: http.get(path) for path in PATHS}
    host = str(http.base_url).rstrip("/").encode()
    return {
        path: (answer.status_code, answer.headers.get("etag"), answer.content.replace(host, b""))
        for path, answer in answers.items()
    }


@contextmanager
def served_copy(data: Path, name: str) -> Iterator[httpx.Client]:
    command = [sys.executable, "-P", "-m", "cli.main", "serve", "--as-of", name, "--port", "0"]
    process = subprocess.Popen(command, env=annals_environment(data), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith(f"The copy {name} of position "), line
        with httpx.Client(base_url=line.split()[-1], auth=("admin", PASSWORD), timeout=60) as http:
            yield http
        process.send_signal(signal.SIGINT)  # Ctrl-C
        assert process.wait(180) == 0
    finally:
        process.kill()
        process.wait()


@dataclass(frozen=True)
class Step:
    position: int
    time: datetime
    seen: Seen


class Past:
    """A server with a history, and what it answered after each step."""

    def __init__(self, server: Served) -> None:
        self.server = server
        self.database_url = server.annals("database-url").stdout.strip()
        self.steps: list[Step] = []
        with make_client(server.url, credentials=("admin", PASSWORD)) as client, self.http() as http:
            spec = models.TaskWriteRequest(name="cats", labels=[models.PatchedLabelRequest(name="cat")], segment_size=2)
            task = client.tasks.create_from_data(spec=spec, resources=PHOTOS)
            label = task.get_labels()[0].id
            box = {"type": "rectangle", "frame": 0, "label_id": label, "points": [1, 2, 30, 40]}
            self.step(http)
            drawn = http.patch("/api/jobs/1/annotations?action=create", json={"shapes": [box]}).json()["shapes"][0]
            http.patch("/api/jobs/1", json={"state": "in progress"})
            self.step(http)
            changed = {"shapes": [drawn | {"points": [5, 6, 7, 8]}]}
            assert http.patch("/api/jobs/1/annotations?action=update", json=changed).status_code == 200
            http.patch("/api/tasks/1", json={"name": "dogs"})
            http.patch(f"/api/labels/{label}", json={"name": "dog"})
            self.step(http)
            assert http.delete("/api/tasks/1").status_code == 204
            self.step(http)

    def http(self) -> httpx.Client:
        return httpx.Client(base_url=self.server.url, auth=("admin", PASSWORD), timeout=60)

    def step(self, http: httpx.Client) -> None:
        answers = seen(http)
        self.steps.append(Step(self.head(), datetime.now(UTC), answers))

    def head(self) -> int:
        with psycopg.connect(self.database_url) as connection:
            row = connection.execute("SELECT max(position) FROM log.events").fetchone()
        assert row is not None
        return int(row[0])

    def copy(self, until: str, name: str, *options: str) -> None:
        made = self.server.annals("replay", "--until", until, "--into", name, *options)
        assert made.returncode == 0, made.stderr


@pytest.fixture(scope="module")
def past(serve_shared: Callable[..., Served]) -> Past:
    """One for all tests here: each makes a copy under a name of its own."""
    return Past(serve_shared(ANNALS_ADMIN_PASSWORD=PASSWORD, ANNALS_SERVER_TELEMETRY="off").ready())


def test_each_copy_answers_what_the_server_answered_then(past: Past) -> None:
    assert len({str(step.seen) for step in past.steps}) == len(past.steps)
    for number, step in enumerate(past.steps):
        if number == 1:
            continue  # the tests below look at it
        until = str(step.position) if number % 2 else step.time.isoformat()
        past.copy(until, "then", "--replace")
        with served_copy(past.server.data, "then") as http:
            assert seen(http) == step.seen
            answer = http.get("/api/tasks")
            assert answer.headers["annals-as-of"].startswith(f"position={step.position}; time=2")
    assert past.server.annals("copies", "drop", "then").returncode == 0, "it is not served any more"
    with past.http() as http:
        assert seen(http) == past.steps[-1].seen


@pytest.fixture(scope="module")
def earlier(past: Past) -> Iterator[httpx.Client]:
    """Of a copy of the second step that is being served."""
    past.copy(str(past.steps[1].position), "earlier")
    with served_copy(past.server.data, "earlier") as http:
        yield http


def test_a_copy_takes_no_writes_and_the_present_goes_on(past: Past, earlier: httpx.Client) -> None:
    with past.http() as live:
        for method, path in [
            ("POST", "/api/tasks"),
            ("PATCH", "/api/tasks/1"),
            ("PUT", "/api/jobs/1/annotations"),
            ("DELETE", "/api/tasks/1"),
        ]:
            refused = earlier.request(method, path, json={"name": "changed"}, headers={"Idempotency-Key": "k"})
            assert refused.status_code == 403
            assert refused.json()["detail"].startswith("This is a read-only copy of 2")
            assert refused.headers["annals-as-of"]
        assert past.head() == past.steps[-1].position
        assert live.post("/api/tasks", json={"name": "later", "labels": []}).status_code == 201
        assert seen(earlier) == past.steps[1].seen
        kept = past.server.annals("copies", "drop", "earlier")
        assert (kept.returncode, kept.stderr) == (1, "annals: The copy earlier is being served: stop that first\n")
        assert live.get("/api/tasks").json()["count"] == 1


def test_what_came_later_is_not_told(earlier: httpx.Client) -> None:
    later = [
        *("/api/events", "/api/log", "/api/log/stream", "/api/log/deleted", "/api/jobs/1/annotations/history"),
        *("/api/tasks/1/annotations/history", "/api/jobs/1/annotations/history/shapes/1"),
        *("/api/jobs/1/annotations/diff?from=0&to=1", "/api/jobs/1/annotations?version=1"),
        *("/api/tasks/1/annotations/?as_of=2026-01-01T00:00:00Z",),
    ]
    for path in later:
        answer = earlier.get(path)
        assert (answer.status_code, answer.json()["detail"]) == (404, "Not offered on a copy: ask the present server")


def test_who_may_look_is_decided_in_the_present(past: Past, earlier: httpx.Client) -> None:
    log_in = {"username": "admin", "password": PASSWORD}
    token = httpx.post(f"{past.server.url}/api/auth/login", json=log_in).json()["key"]
    given = {"Authorization": f"Token {token}"}
    task = f"{earlier.base_url}/api/tasks/1"
    assert httpx.get(task, headers=given).json()["name"] == "cats"
    assert httpx.post(f"{past.server.url}/api/auth/logout", headers=given).status_code == 200
    wait_until(lambda: httpx.get(task, headers=given).status_code == 401)
    assert httpx.get(task).status_code == 401


def test_a_copy_that_is_not_there_is_said(past: Past) -> None:
    done = past.server.annals("serve", "--as-of", "never", "--port", "0")
    assert (done.returncode, done.stderr) == (1, "annals: There is no copy never: `annals copies` lists them\n")


def test_a_copy_is_served_without_the_server_too(past: Past) -> None:
    """The last test here: it stops the server."""
    past.copy(str(past.steps[1].position), "alone")
    assert past.server.stop() == 0
    with served_copy(past.server.data, "alone") as http:
        assert seen(http) == past.steps[1].seen
