"""The endpoint in a child process, for programs and tests that need a ClickHouse for a while."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Final

from domain.errors import Unavailable

_ROOT: Final = Path(__file__).parents[2]
_READY: Final = re.compile(rb"ready (\S+) (\d+)\n")


class EndpointProcess:
    """Runs while the object is entered, and no longer than this process. The child says when it answers."""

    def __init__(
        self,
        data_dir: Path,
        writer_password: str,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        readers: Path | None = None,
        anonymous: bool = True,
    ) -> None:
        self.host, self.port = host, port
        self._input = f"{writer_password}\n".encode()
        self._command = [sys.executable, "-m", "infra.clickhouse", "--data", str(data_dir), "--host", host]
        self._command += ["--readers", str(readers)] if readers else []
        self._command += [] if anonymous else ["--known-only"]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> EndpointProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, patience: float = 60.0) -> None:
        """Returns when it answers; `port` is then the real one. Raises Unavailable with the child's reason."""
        path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
        with tempfile.TemporaryFile() as complaints:
            self._process = subprocess.Popen(
                [*self._command, "--port", str(self.port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,
            )
            assert self._process.stdin is not None
            self._process.stdin.write(self._input)
            self._process.stdin.flush()
            self.port = self._await_ready(self._process, complaints, patience)

    @property
    def pid(self) -> int:
        """Raises Unavailable when it does not run."""
        if self._process is None:
            raise Unavailable("The ClickHouse endpoint is not running")
        return self._process.pid

    def stop(self, patience: float = 60.0) -> int:
        """Ends it in order and returns its exit code; kills it when that takes longer than `patience` seconds."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
        return self.kill()

    def kill(self) -> int:
        """Ends it as kill -9 does, unless it has ended already; returns its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        return process.returncode

    def _await_ready(self, process: subprocess.Popen[bytes], complaints: IO[bytes], patience: float) -> int:
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            answered = selector.select(patience)
        if answered and (match := _READY.fullmatch(process.stdout.readline())):
            return int(match[2])
        self.kill()
        complaints.seek(0)
        reason = complaints.read().decode(errors="replace").strip()
        raise Unavailable(reason or f"The ClickHouse endpoint was not ready within {patience:g} s")
