"""Whatever happens to agents, every request comes to its end, and its work is recorded exactly once."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cli.bootstrap import System
from consumers import agent as agents
from consumers.agent import Agent, in_words
from consumers.handlers import HANDLERS
from consumers.handlers.handler import Outcome
from domain.data import creation_id
from domain.errors import Invalid, MediaError, Unavailable
from domain.event import Actor, Context
from domain.events.data import DataUploaded, ReceivedFile
from domain.events.request import LeaseExpired, RequestFailed, RequestFinished, RequestStarted
from domain.request import MAX_ATTEMPTS, Request
from domain.task import NewTask
from infra.blobs import FileBlobs
from infra.settings import Settings

ANN = Context(Actor(7, "ann"), correlation_id="the-http-request")
FRAMES = 5


@pytest.fixture
def settings(data_folder: Path) -> Settings:
    """With the shortest lease there is."""
    return Settings(data=data_folder, lease_seconds=2)


@pytest.fixture
def blobs(settings: Settings) -> FileBlobs:
    return FileBlobs(settings.blobs)


@pytest.fixture
def photos(blobs: FileBlobs) -> list[ReceivedFile]:
    """Five stored pictures."""
    files = []
    for number in range(FRAMES):
        out = io.BytesIO()
        Image.new("RGB", (640, 480), (number, 0, 0)).save(out, "JPEG")
        blob = blobs.put([out.getvalue()])
        files.append(ReceivedFile(name=f"{number}.jpg", sha256=blob.sha256, size=blob.size))
    return files


class Work:
    """Requests in one database, seen from outside."""

    def __init__(self, system: System, photos: list[ReceivedFile]) -> None:
        self.system, self.app = system, system.app
        self._photos = photos

    def queue(self) -> str:
        """A new task with five photos, to be split into three jobs; the id of the request."""
        task_id = self.app.tasks.create(ANN, NewTask("photos", [], segment_size=2))
        return self.app.data.submit(ANN, task_id, {"image_quality": 70}, self._photos)

    def events(self, stream: str) -> list[Any]:
        return list(self.app.events.get(stream))

    def bodies(self, request_id: str) -> list[str]:
        return [type(event.body).__name__ for event in self.events(f"request-{request_id}")]

    def status(self, request_id: str) -> str:
        return str(self.rows("SELECT status FROM requests WHERE id = %s", request_id)[0]["status"])

    def message(self, request_id: str) -> str:
        return str(self.rows("SELECT message FROM requests WHERE id = %s", request_id)[0]["message"])

    def rows(self, statement: str, *params: Any) -> list[dict[str, Any]]:
        return self.system.database.query(statement.encode(), params)

    def ended(self, *request_ids: str) -> bool:
        return {self.status(request_id) for request_id in request_ids} <= {"finished", "failed"}


@pytest.fixture
def work(system: System, photos: list[ReceivedFile]) -> Work:
    return Work(system, photos)


def wait_until(holds: Callable[[], Any], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.01)


@contextmanager
def running(system: System, settings: Settings) -> Iterator[Agent]:
    """An agent at work in this process."""
    agent, stop = Agent(settings, system.database, system.app, FileBlobs(settings.blobs)), threading.Event()
    thread = threading.Thread(target=agent.run, args=(stop,))
    thread.start()
    try:
        yield agent
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


@contextmanager
def processes(count: int, url: str, settings: Settings) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Agents in processes of their own."""
    environment = os.environ | {
        "ANNALS_DATABASE_URL": url,
        "ANNALS_DATA": str(settings.data),
        "ANNALS_LEASE_SECONDS": str(settings.lease_seconds),
    }
    command = [sys.executable, "-m", "cli.main", "agent"]
    started = [subprocess.Popen([*command, "--name", f"agent-{n}"], env=environment) for n in range(count)]
    try:
        yield started
    finally:
        for process in started:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in started:
            process.wait(20)


def test_work_is_recorded_in_one_go_with_its_cause(work: Work, settings: Settings) -> None:
    request_id = work.queue()
    with running(work.system, settings):
        wait_until(lambda: work.ended(request_id))
    stream = f"request-{request_id}"
    queued, started, finished = work.events(stream)
    assert [type(event.body) for event in (started, finished)] == [RequestStarted, RequestFinished]
    assert {event.meta.source for event in (started, finished)} == {"worker"}
    assert {event.meta.actor for event in (started, finished)} == {"ann"}
    assert {event.meta.correlation_id for event in (started, finished)} == {"the-http-request"}
    assert {event.meta.causation_id for event in (started, finished)} == {queued.id}
    done = work.rows("SELECT type FROM log.events WHERE position > %s ORDER BY position", started.position)
    assert [row["type"] for row in done] == [
        "DataUploaded", "FramesAdded", "JobsSplit", "JobCreated", "JobCreated", "JobCreated", "RequestFinished",
    ]  # fmt: skip
    assert finished.position == started.position + len(done)
    jobs = work.rows("SELECT start_frame, stop_frame FROM jobs ORDER BY id")
    assert [(row["start_frame"], row["stop_frame"]) for row in jobs] == [(0, 1), (2, 3), (4, 4)]


def test_a_waiting_request_is_taken_up_at_once(work: Work, settings: Settings) -> None:
    with running(work.system, settings):
        wait_until(lambda: work.rows("SELECT 1 FROM log.agents"))
        time.sleep(0.2)  # until it sleeps
        began = time.monotonic()
        request_id = work.queue()
        wait_until(lambda: work.ended(request_id))
        assert time.monotonic() - began < 1


def test_an_agent_comes_and_goes(work: Work, settings: Settings) -> None:
    with running(work.system, settings) as agent:
        wait_until(lambda: work.rows("SELECT 1 FROM log.agents WHERE agent = %s AND queues = '{import}'", agent.name))
        [first] = work.rows("SELECT beat_at FROM log.agents")
        wait_until(lambda: work.rows("SELECT 1 FROM log.agents WHERE beat_at > %s", first["beat_at"]))
    assert work.rows("SELECT 1 FROM log.agents") == []


def test_three_agents_share_thirty_requests_though_one_is_killed_at_work(
    work: Work, database_url: str, settings: Settings
) -> None:
    request_ids = [work.queue() for _ in range(30)]
    with processes(3, database_url, settings) as started:
        wait_until(lambda: work.rows("SELECT 1 FROM requests WHERE status = 'finished'"))
        kill_one_at_work(work, started)
        wait_until(lambda: work.ended(*request_ids), 60)
    assert {work.status(request_id) for request_id in request_ids} == {"finished"}
    assert len(work.rows("SELECT 1 FROM log.events WHERE type = 'DataUploaded'")) == 30
    assert len(work.rows("SELECT 1 FROM jobs")) == 90
    assert len(work.rows("SELECT 1 FROM log.events WHERE type = 'LeaseExpired'")) == 1
    assert len({row["agent"] for row in work.rows("SELECT agent FROM requests")}) > 1


def kill_one_at_work(work: Work, started: list[subprocess.Popen[bytes]]) -> None:
    """Stops an agent, and kills it if it has a request in hand; else it may go on, and another gets its turn."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for number, process in enumerate(started):
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.02)  # an append that is under way in the database comes to its end
            statement = "SELECT 1 FROM requests WHERE status = 'started' AND agent LIKE %s"
            if work.rows(statement, f"%-{process.pid}-%"):
                process.kill()
                started.pop(number)
                process.wait(10)
                return
            process.send_signal(signal.SIGCONT)
    raise AssertionError("no agent was met at work")


def test_an_agent_that_was_silent_for_too_long_is_not_heard(
    work: Work, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It works on without beating; another does the same work, and the first one's result is refused."""
    first_may_end, first_began = threading.Event(), threading.Event()
    create = HANDLERS["create:task"]

    def handler(tools: Any, request: Request) -> Outcome:
        outcome = create(tools, request)
        if request.attempt == 1:
            first_began.set()
            first_may_end.wait(20)
        return outcome

    monkeypatch.setattr(agents, "HANDLERS", {"create:task": handler})
    request_id = work.queue()
    with running(work.system, settings) as silent:
        first_began.wait(10)
        monkeypatch.setattr(silent._heartbeat, "_beat", lambda: None)
        with running(work.system, settings) as other:
            wait_until(lambda: work.ended(request_id))
            first_may_end.set()
            wait_until(lambda: silent._in_hand is None)
    names = ["RequestQueued", "RequestStarted", "LeaseExpired", "RequestStarted", "RequestFinished"]
    assert work.bodies(request_id) == names
    assert work.rows("SELECT agent FROM requests")[0]["agent"] == other.name
    assert len(work.rows("SELECT 1 FROM jobs")) == 3


def test_a_stopping_agent_gives_back_what_it_cannot_finish(
    work: Work, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, may_end = threading.Event(), threading.Event()

    def endless(*_: Any) -> Outcome:
        began.set()
        may_end.wait(20)
        raise MediaError("too late")

    with monkeypatch.context() as patch:
        patch.setattr(agents, "HANDLERS", {"create:task": endless})
        patch.setattr(agents, "STOP_SECONDS", 0.2)
        request_id = work.queue()
        with running(work.system, settings):
            assert began.wait(10)
        assert work.status(request_id) == "queued"
    may_end.set()
    with running(work.system, settings):
        wait_until(lambda: work.ended(request_id))
    assert work.status(request_id) == "finished"


def test_a_stopping_agent_finishes_what_it_can(work: Work, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    began = threading.Event()
    create = HANDLERS["create:task"]

    def slow(tools: Any, request: Request) -> Outcome:
        began.set()
        time.sleep(0.5)
        return create(tools, request)

    monkeypatch.setattr(agents, "HANDLERS", {"create:task": slow})
    request_id = work.queue()
    with running(work.system, settings):
        assert began.wait(10)
    assert work.status(request_id) == "finished"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MediaError("b.jpg is empty"), "b.jpg is empty"),
        (Invalid({"frames": ["too many"]}), "frames: too many"),
        (ZeroDivisionError("secret"), "The server failed to do this; the failure has been logged."),
    ],
)
def test_failures_are_told_and_the_agent_goes_on(
    work: Work, settings: Settings, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    create, failing = HANDLERS["create:task"], [error]

    def handler(tools: Any, request: Request) -> Outcome:
        if failing:
            raise failing.pop()
        return create(tools, request)

    monkeypatch.setattr(agents, "HANDLERS", {"create:task": handler})
    first, second = work.queue(), work.queue()
    with running(work.system, settings):
        wait_until(lambda: work.ended(first, second))
    assert (work.status(first), work.message(first), work.status(second)) == ("failed", message, "finished")
    assert isinstance(work.events(f"request-{first}")[-1].body, RequestFailed)


def test_work_that_a_service_holds_up_is_tried_again(
    work: Work, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, failing = HANDLERS["create:task"], [Unavailable("full disk")] * 2

    def handler(tools: Any, request: Request) -> Outcome:
        if failing:
            raise failing.pop()
        return create(tools, request)

    monkeypatch.setattr(agents, "HANDLERS", {"create:task": handler})
    monkeypatch.setattr(agents, "RETRY_SECONDS", 0.05)
    request_id = work.queue()
    with running(work.system, settings):
        wait_until(lambda: work.ended(request_id))
    assert work.status(request_id) == "finished"


def test_work_on_a_task_that_is_changed_meanwhile_is_done_again(
    work: Work, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, done = HANDLERS["create:task"], []

    def handler(tools: Any, request: Request) -> Outcome:
        outcome = create(tools, request)
        done.append(outcome)
        if len(done) == 1:
            tools.app.tasks.update(ANN, request.queued.task_id, {"name": "renamed"})
        return outcome

    monkeypatch.setattr(agents, "HANDLERS", {"create:task": handler})
    request_id = work.queue()
    with running(work.system, settings):
        wait_until(lambda: work.ended(request_id))
    assert (work.status(request_id), len(done)) == ("finished", 2)
    assert len(work.rows("SELECT 1 FROM jobs")) == 3


def test_a_task_that_is_deleted_meanwhile_gets_no_jobs(
    work: Work, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = HANDLERS["create:task"]

    def handler(tools: Any, request: Request) -> Outcome:
        outcome = create(tools, request)
        tools.app.tasks.delete(ANN, request.queued.task_id, [])
        return outcome

    monkeypatch.setattr(agents, "HANDLERS", {"create:task": handler})
    request_id = work.queue()
    with running(work.system, settings):
        wait_until(lambda: work.ended(request_id))
    assert (work.status(request_id), work.message(request_id)) == ("failed", "Task 1 was deleted")
    assert work.rows("SELECT 1 FROM jobs UNION ALL SELECT 1 FROM frames") == []


def test_a_request_that_kills_its_agents_fails_in_the_end(work: Work, settings: Settings) -> None:
    request_id = work.queue()
    for attempt in range(MAX_ATTEMPTS):
        request = work.app.requests.start(ANN, request_id, f"gone-{attempt}")
        assert request.attempt == attempt + 1
        work.app.requests.expire(ANN, request_id, f"gone-{attempt}", None)
    assert work.status(request_id) == "failed"
    assert isinstance(work.events(f"request-{request_id}")[-2].body, LeaseExpired)


def test_an_agent_survives_a_restart_of_its_connections(work: Work, settings: Settings) -> None:
    with running(work.system, settings):
        wait_until(lambda: work.rows("SELECT 1 FROM log.agents"))
        work.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        request_id = eventually(work.queue)
        wait_until(lambda: eventually(lambda: work.ended(request_id)))
    assert work.status(request_id) == "finished"


def eventually(action: Callable[[], Any]) -> Any:
    """What the action returns once the broken connections have been replaced."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return action()
        except Unavailable:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_second_run_finds_its_own_work_done(work: Work, settings: Settings) -> None:
    """A request that is queued again after its task got data changes nothing."""
    request_id = work.queue()
    with running(work.system, settings):
        wait_until(lambda: work.ended(request_id))
        [queued] = [event.body for event in work.events(f"request-{request_id}")[:1]]
        work.app.record(ANN, [queued])
        wait_until(lambda: work.bodies(request_id)[-1] == "RequestFailed")
    assert "already" in work.message(request_id)
    uploads = [event for event in work.events(f"data-{queued.task_id}") if isinstance(event.body, DataUploaded)]
    assert (len(uploads), creation_id(queued.task_id)) == (1, request_id)


def test_errors_meant_for_forms_are_told_in_words() -> None:
    error = Invalid({"a": ["x", "y"], "b": {"0": ["z"]}})
    assert in_words(error) == "a: x\na: y\nb: 0: z"
    assert in_words(Invalid(["plain"])) == "plain"
    assert in_words(MediaError("a.jpg is empty")) == "a.jpg is empty"
