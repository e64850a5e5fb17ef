"""Requests to be worked on, and agents that do it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cli.bootstrap import System
from consumers.agent import Agent
from domain.event import Actor, Context
from domain.events.data import ReceivedFile
from domain.task import NewTask
from infra.blobs import FileBlobs
from infra.settings import Settings

ANN = Context(Actor(7, "ann"), correlation_id="the-http-request")


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
        thread.join(60)
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
            process.wait(60)
