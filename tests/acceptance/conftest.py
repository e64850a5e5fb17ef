"""A whole server: `annals serve` as a process, on free ports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from ..conftest import new_data_folder
from ..integration.embedded_programs import is_dead
from ..ports import free_port
from ..waiting import wait_until
from ..warm import warm_program

REPOSITORY = Path(__file__).parents[2]
STOP_SECONDS = 180.0
"""More than all of its processes may take together, one after the other, until they are killed."""


def annals_environment(data: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ANNALS_")}
    return clean | {"ANNALS_DATA": str(data), "PYTHONPATH": str(REPOSITORY)}


class Served:
    """A server that is ready, or on its way to be."""

    def __init__(self, data: Path, *options: str, **settings: str) -> None:
        self.data = data
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  (as long as the process)
        ports = ["--port", "0", "--clickhouse-port", str(free_port())]  # where nobody listens for moments
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "cli.main", "serve", *ports, *options],
            env=annals_environment(data) | settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def ready(self) -> Served:
        """Waits for the line that says so."""
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        assert self.line.startswith("Annals is ready: "), self.said()
        return self

    @property
    def info(self) -> dict[str, Any]:
        """What it tells other commands."""
        info: dict[str, Any] = json.loads((self.data / "run" / "server.json").read_text())
        return info

    @property
    def url(self) -> str:
        return str(self.info["url"])

    def pid(self, name: str) -> int:
        return int(self.info["processes"][name])

    def postmaster(self) -> int:
        return int((self.data / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0])

    def said(self) -> str:
        """Its standard error so far."""
        self.errors.seek(0)
        return self.errors.read()

    def family(self) -> list[psutil.Process]:
        """Every process that it consists of, PostgreSQL's too."""
        return [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]

    def kill(self) -> None:
        """Everything at once, as a power cut would, as far as one process can see to it."""
        family = self.family()
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()
        wait_until(lambda: all(is_dead(process.pid) for process in family))

    def http(self) -> httpx.Client:
        """As the administrator."""
        password = (self.data / "admin-password").read_text().strip()
        return httpx.Client(base_url=self.url, auth=("admin", password), timeout=60)

    def stop(self, seconds: float = STOP_SECONDS) -> int:
        """As an operator does; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def annals(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Another command, beside the server."""
        return warm_program().run(arguments, annals_environment(self.data) | settings)

    def verify(self, *options: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """With more patience for what is on its way to ClickHouse than a person has."""
        return self.annals("verify", "--wait", "100", *options, **settings)

    def destroy(self) -> None:
        """Nothing of it runs any more."""
        family = self.family() if self.process.poll() is None else []
        for process in [*family, *_working_in(self.data)]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()
        self.errors.close()


def _working_in(data: Path) -> list[psutil.Process]:
    """PostgreSQL's processes, which outlive a killed server."""
    cluster = str(data / "postgres" / "cluster")
    found = psutil.process_iter(["name", "cwd"])
    return [process for process in found if (process.info["name"], process.info["cwd"]) == ("postgres", cluster)]


@contextmanager
def serving(data: Path) -> Iterator[Callable[..., Served]]:
    """Starts servers on one data folder; at the end none of them runs."""
    started: list[Served] = []

    def start(*options: str, **settings: str) -> Served:
        started.append(Served(data, *options, **settings))
        return started[-1]

    try:
        yield start
    finally:
        for server in started:
            server.destroy()


@pytest.fixture
def serve(data_folder: Path) -> Iterator[Callable[..., Served]]:
    """Starts servers on the test's own data folder."""
    with serving(data_folder) as start:
        yield start


@pytest.fixture(scope="module")
def serve_shared() -> Iterator[Callable[..., Served]]:
    """Starts servers on a data folder that a module's tests share, in the order in which they stand there."""
    with new_data_folder() as folder, serving(folder) as start:
        yield start
