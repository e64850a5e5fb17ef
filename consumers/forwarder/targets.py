"""Where sinks write: whether two of them would write into the same tables or files."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 8123, "https": 8443}
"""Of ClickHouse, as the driver takes them."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")

Server = tuple[str | None, int | None]


def server(url: str) -> Server:
    """Host and port. Whoever logs in and however the URL goes on, the tables are the same: their database is that of
    the settings. Raises ValueError for a port that is none.
    """
    parts = urlsplit(url)
    host = LOOPBACK[0] if parts.hostname in LOOPBACK else parts.hostname
    return host, parts.port or DEFAULT_PORTS.get(parts.scheme)


def check_each_once(targets: Sequence[object], name: str) -> None:
    """Raises ValueError."""
    if len(set(targets)) < len(targets):
        raise ValueError(f"two sinks write into {name}")
