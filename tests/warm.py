"""The `annals` command as a process of its own each time, but forked from one that has loaded the program before:
Python's start and a thousand imports take longer than most commands. That each of them finds what it needs in a fresh
process, too, tests/integration/test_imports.py proves.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Self

REPOSITORY = Path(__file__).parents[1]
SECONDS = 300.0
MESSAGE_BYTES = 1 << 20
LOADED = ("cli", "consumers.forwarder", "projections", "infra.postgres", "infra.eventlog", "infra.blobs")
"""With all that they contain, except LONG_LIVED."""
LONG_LIVED = ("cli.roles.", "cli.serving.")
"""What only servers need."""


class WarmProgram:
    """A process that has the program loaded, as a context manager. One command at a time."""

    def __enter__(self) -> Self:
        self._channel, its_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel.settimeout(SECONDS)
        with its_end:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tests.warm", str(its_end.fileno())],
                env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
                pass_fds=[its_end.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """As `subprocess.run` does it. Raises TimeoutError, after which this program is of no use any more."""
        order = {"arguments": arguments, "environment": dict(environment), "folder": os.getcwd()}
        with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(stdin)
            given.seek(0)
            files = [given.fileno(), out.fileno(), err.fileno()]
            socket.send_fds(self._channel, [json.dumps(order).encode()], files)
            code = self._channel.recv(MESSAGE_BYTES)
            assert code, "the program has ended"
            said = [_text(file) for file in (out, err)]
        return subprocess.CompletedProcess(["annals", *arguments], int(code), *said)


@cache
def warm_program() -> WarmProgram:
    """One for all tests of this process; it ends with it."""
    program = WarmProgram()
    atexit.register(program.__exit__)
    return program.__enter__()


def _text(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode())


def main(channel: socket.socket) -> None:
    """Returns in a fork, which then is the command."""
    while True:
        order, files, _, _ = socket.recv_fds(channel, MESSAGE_BYTES, 3)
        if not order:
            sys.exit()
        child = os.fork()
        if not child:
            channel.close()
            _become(json.loads(order), files)
            return
        for file in files:
            os.close(file)
        _, status = os.waitpid(child, 0)
        channel.send(str(os.waitstatus_to_exitcode(status)).encode())


def load() -> None:
    for name in LOADED:
        package = import_module(name)
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not f"{found.name}.".startswith(LONG_LIVED):
                import_module(found.name)
    gc.collect()
    gc.freeze()


def _become(order: dict[str, Any], files: Sequence[int]) -> None:
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    sys.argv = ["annals", *order["arguments"]]


if __name__ == "__main__":
    load()
    main(socket.socket(fileno=int(sys.argv[1])))
    from cli.main import main as annals

    annals()
