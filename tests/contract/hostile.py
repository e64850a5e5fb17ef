"""An attacker who is logged in as the administrator, and what may come of it: refusals, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from domain.event import Context

from ..unit.domain import given
from .conftest import ADMIN, Server
from .cvat_schema import is_error_body
from .shared import last_change, running

TASK, JOB, PROJECT = 7, 5, 3


@contextmanager
def quiet_server(postgres: str) -> Iterator[Server]:
    """With a project, a task and a job. Its log must not grow any more but by what it tells of the attacks."""
    with running(postgres, max_json_bytes=1_000_000, server_telemetry="all") as server:
        admin = Context(given.ANN.actor)
        bodies = [given.project(PROJECT), given.task(TASK), given.labels(task_id=TASK), given.job(JOB, TASK)]
        server.system.app.record(admin, bodies)
        yield server


@contextmanager
def attacking(server: Server) -> Iterator[httpx.Client]:
    """A client; whatever it does must leave everything as it was."""
    before = last_change(server)
    with httpx.Client(base_url=server.url, auth=ADMIN, timeout=60) as client:
        yield client
    assert last_change(server) == before


def assert_refused(answer: httpx.Response, sent: Any) -> None:
    """With a 4xx, in CVAT's shape."""
    assert 400 <= answer.status_code < 500, (answer.status_code, sent, answer.text[:300])
    assert "json" in answer.headers["content-type"], sent
    assert is_error_body(answer.json()), (sent, answer.text[:300])
