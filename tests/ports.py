"""Ports for servers that are told theirs before they listen."""

from __future__ import annotations

import random
import socket

LOW, HIGH = 20_000, 32_000
"""Below those that systems give to whoever asks for any: nobody else gets it between the look and the start, or while
the server is away.
"""


def free_port() -> int:
    """Of the loopback interface. Nobody listens there now."""
    while True:
        port = random.SystemRandom().randrange(LOW, HIGH)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
