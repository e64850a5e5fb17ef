"""Agents side by side, and agents that die, fall silent or have to stop: the work is done by one, and recorded once."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from typing import Any

import pytest

from consumers import agent as agents
from consumers.handlers import HANDLERS
from consumers.handlers.handler import Outcome
from domain.errors import MediaError
from domain.events.request import LeaseExpired
from domain.request import Request
from infra.settings import Settings

from ...waiting import wait_until
from .work import Work, processes, running


def test_three_agents_share_many_requests_though_one_is_killed_at_work(
    work: Work, database_url: str, settings: Settings
) -> None:
    request_ids = [work.queue() for _ in range(30)]
    with processes(3, database_url, settings) as started:
        wait_until(lambda: work.rows("SELECT 1 FROM requests WHERE status = 'finished'"))
        killed = kill_one_at_work(work, started, request_ids)
        wait_until(lambda: work.ended(*request_ids))
    assert {work.status(request_id) for request_id in request_ids} == {"finished"}
    assert len(work.rows("SELECT 1 FROM log.events WHERE type = 'DataUploaded'")) == len(request_ids)
    assert len(work.rows("SELECT 1 FROM jobs")) == 3 * len(request_ids)
    bodies = [event.body for request_id in request_ids for event in work.events(f"request-{request_id}")]
    assert any(isinstance(body, LeaseExpired) and f"-{killed}-" in body.agent for body in bodies)
    assert len({row["agent"] for row in work.rows("SELECT agent FROM requests")}) > 1


def kill_one_at_work(work: Work, started: list[subprocess.Popen[bytes]], request_ids: list[str]) -> int:
    """Stops an agent, and kills it if it has a request in hand; else it may go on, and another gets its turn. Returns
    the number of its process. Adds to the requests when none is left before one was met.
    """
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for number, process in enumerate(started):
            if work.ended(*request_ids):
                request_ids += [work.queue() for _ in range(10)]
            process.send_signal(signal.SIGSTOP)
            # An append that is under way in the database comes to its end, on a slow disk after a while.
            if all(_at_work(work, process, pause) for pause in (0.02, 0.5)):
                process.kill()
                started.pop(number)
                process.wait(60)
                return process.pid
            process.send_signal(signal.SIGCONT)
    raise AssertionError("no agent was met at work")


def _at_work(work: Work, process: subprocess.Popen[bytes], pause: float) -> bool:
    time.sleep(pause)
    statement = "SELECT 1 FROM requests WHERE status = 'started' AND agent LIKE %s"
    return bool(work.rows(statement, f"%-{process.pid}-%"))


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
            first_may_end.wait(60)
        return outcome

    monkeypatch.setattr(agents, "HANDLERS", {"create:task": handler})
    request_id = work.queue()
    with running(work.system, settings) as silent:
        assert first_began.wait(60)
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
        may_end.wait(60)
        raise MediaError("too late")

    with monkeypatch.context() as patch:
        patch.setattr(agents, "HANDLERS", {"create:task": endless})
        patch.setattr(agents, "STOP_SECONDS", 0.2)
        request_id = work.queue()
        with running(work.system, settings):
            assert began.wait(60)
        assert work.status(request_id) == "queued"
    may_end.set()
    with running(work.system, settings):
        wait_until(lambda: work.ended(request_id))
    assert work.status(request_id) == "finished"
