"""A server of its own for each measurement, on a fresh folder and free ports."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

PASSWORD = "bench-password"


@dataclass(frozen=True)
class Server:
    """A running `annals serve`. `ready_seconds`: from its start to the first answer."""

    host: str
    port: int
    clickhouse_port: int
    data: Path
    database_url: str
    token: str
    ready_seconds: float

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@contextmanager
def running(workers: int = 2, data: Path | None = None) -> Iterator[Server]:
    """`data`: an existing folder that is kept; None: a fresh one that is removed."""
    folder = data or Path(tempfile.mkdtemp(prefix="annals-bench-"))
    command = [sys.executable, "-m", "cli.main", "serve", "--data", str(folder)]
    command += ["--port", "0", "--clickhouse-port", "0", "--workers", str(workers)]
    environment = os.environ | {"ANNALS_ADMIN_PASSWORD": PASSWORD}
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        yield _wait(process, folder, started)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        if data is None:
            shutil.rmtree(folder, ignore_errors=True)


def _wait(process: subprocess.Popen[bytes], folder: Path, started: float) -> Server:
    while time.perf_counter() - started < 60:
        if process.poll() is not None:
            raise RuntimeError(f"annals serve ended with {process.returncode}")
        try:
            state = json.loads((folder / "run" / "server.json").read_text())
            port = int(state["port"])
            httpx.get(f"http://127.0.0.1:{port}/api/server/about").raise_for_status()
        except (OSError, ValueError, KeyError, httpx.HTTPError):
            time.sleep(0.02)
            continue
        ready = time.perf_counter() - started
        login = {"username": "admin", "password": PASSWORD}
        token = httpx.post(f"http://127.0.0.1:{port}/api/auth/login", json=login).json()["key"]
        return Server("127.0.0.1", port, int(state["clickhouse_port"]), folder, _database_url(folder), token, ready)
    raise RuntimeError("annals serve did not answer within 60 s")


def _database_url(folder: Path) -> str:
    command = [sys.executable, "-m", "cli.main", "database-url", "--data", str(folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
