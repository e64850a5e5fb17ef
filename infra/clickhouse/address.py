"""URLs of ClickHouse, as users give them: which server they name."""

from __future__ import annotations

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


def http_url(url: str) -> str:
    """As it was given. Raises ValueError for one that names no server, without repeating it: it may hold a password."""
    wrong = ValueError("it should be http://user:password@host:port, or https://…")
    try:
        host, port = server(url)
    except ValueError:
        raise wrong from None
    if urlsplit(url).scheme not in DEFAULT_PORTS or not host or not port:
        raise wrong
    return url
