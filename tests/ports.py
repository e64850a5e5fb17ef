"""Ports for servers that are told theirs before they listen."""

from __future__ import annotations

import os
import random
import socket
from pathlib import Path

RUN_FOLDER = "ANNALS_TEST_RUN_FOLDER"
"""Names the folder of this test run, which all its processes share; see conftest.py."""

LOW, HIGH = 20_000, 32_000
"""Below those that systems give to whoever asks for any: nobody else gets it between the look and the start, or while
the server is away.
"""


def free_port() -> int:
    """Of the loopback interface. Nobody listens there now, and nobody else of this test run is told the same one."""
    while True:
        port = random.SystemRandom().randrange(LOW, HIGH)
        try:
            socket.create_server(("127.0.0.1", port)).close()
            _claim(port)
        except OSError:
            continue
        return port


def _claim(port: int) -> None:
    """Raises FileExistsError when it is taken."""
    if folder := os.environ.get(RUN_FOLDER):
        claims = Path(folder) / "ports"
        claims.mkdir(exist_ok=True)
        (claims / str(port)).touch(exist_ok=False)
