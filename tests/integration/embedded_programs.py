"""Servers in folders, and processes beside the test that use them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import psycopg

from infra.postgres import postmaster
from infra.postgres.embedded import EmbeddedPostgres
from infra.postgres.folder import ServerFolder

REPOSITORY = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), *filter(None, sys.path)])}
WAIT_SECONDS = 60.0

OWNER = """
import os, signal, sys, threading
from pathlib import Path
from infra.postgres.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
ended = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: ended.set())
signal.signal(signal.SIGINT, signal.SIG_DFL)
url = server.start()
if "fork" in sys.argv:
    told, tell = os.pipe()
    if os.fork() == 0:
        os.write(tell, b"it has left the parent's locks to it")
        signal.pause()
    os.read(told, 100)
print(url, flush=True)
ended.wait()
server.stop()
"""

COMMAND = """
import sys
from pathlib import Path
from infra.postgres.embedded import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])).attach_or_start() as url:
    print(url, flush=True)
    sys.stdin.readline()
"""


class Program:
    """A Python process beside the test that has printed the URL of its server."""

    def __init__(self, source: str, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", source, str(folder), *arguments],
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("postgresql://")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        """Let a COMMAND come to its end."""
        self.process.communicate("\n", timeout=WAIT_SECONDS)
        assert self.process.returncode == 0

    def terminate(self) -> None:
        """Stop an OWNER as an operator does."""
        self.process.terminate()
        assert self.process.wait(WAIT_SECONDS) == 0


@contextmanager
def running(folder: Path) -> Iterator[str]:
    server = EmbeddedPostgres(folder)
    try:
        yield server.start()
    finally:
        server.stop()


def kill_server(folder: Path) -> None:
    """kill -9 of every PostgreSQL process that works somewhere in the folder."""
    while ours := _servers(folder):  # again: one may have been born while the others were looked for
        for process in ours:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(ours, timeout=1)


def _servers(folder: Path) -> list[psutil.Process]:
    processes = [p for p in psutil.process_iter(["name", "cwd"]) if p.info["name"] == "postgres"]
    return [p for p in processes if folder in Path(p.info["cwd"] or "/").parents]


def postmaster_pid(folder: Path) -> int:
    process = postmaster.find(ServerFolder(folder))
    assert process is not None
    return int(process.pid)


def write(url: str, entry: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO log VALUES (%s)", [entry])


def entries(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {entry for (entry,) in connection.execute("SELECT entry FROM log")}


def is_dead(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def is_running(folder: Path) -> bool:
    return EmbeddedPostgres(folder).running_url() is not None
