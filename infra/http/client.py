"""One request to a URL that a user gave, bounded in time, size and redirects."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from threading import Event, Timer
from urllib.parse import quote, urljoin, urlsplit

from infra.http.addresses import Unreachable, connect

SILENCE_SECONDS = 30.0
"""After this long without a byte the other side counts as gone."""

MOST_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
PIECE = 1 << 18
_UNQUOTED = "/%:@!$&'()*+,;=~?[]"


@dataclass(frozen=True)
class Policy:
    """What a request may do. `seconds`: from the beginning of one connection to its end."""

    seconds: float
    max_bytes: int
    allow_private: bool = False


@dataclass
class Answer:
    """The answer to a request. Its body can be read once."""

    status: int
    headers: Message
    _response: http.client.HTTPResponse = field(repr=False)
    _policy: Policy = field(repr=False)
    _overdue: Event = field(repr=False)

    def pieces(self) -> Iterator[bytes]:
        """The body. Raises Unreachable when it ends too early, or is longer than the policy allows."""
        announced, total = self._response.length, 0
        if announced is not None and announced > self._policy.max_bytes:
            raise Unreachable(f"is larger than {self._policy.max_bytes:,} bytes")
        while piece := self._response.read(PIECE):
            total += len(piece)
            if total > self._policy.max_bytes:
                raise Unreachable(f"is larger than {self._policy.max_bytes:,} bytes")
            yield piece
        if self._overdue.is_set():
            raise Unreachable(f"takes longer than {self._policy.seconds:g} seconds")
        if announced is not None and total < announced:
            raise Unreachable(f"broke off after {total:,} of {announced:,} bytes")


@contextmanager
def get(url: str, policy: Policy) -> Iterator[Answer]:
    """Follows redirects, each of which is checked like the first URL. Raises Unreachable, also while it is read."""
    for _ in range(1 + MOST_REDIRECTS):
        with _asked(url, policy) as answer:
            if answer.status not in REDIRECTS:
                yield answer
                return
            if not (location := answer.headers.get("Location")):
                raise Unreachable("leads on to another address without naming it")
            url = urljoin(url, location)
    raise Unreachable(f"leads on to other addresses more than {MOST_REDIRECTS} times")


@contextmanager
def _asked(url: str, policy: Policy) -> Iterator[Answer]:
    connection, target = _connected(url, policy)
    # Not only each byte, all of them together must come in time: who is too slow is cut off.
    overdue = Event()
    timer = Timer(policy.seconds, _cut_off, (connection.sock, overdue))
    timer.daemon = True
    timer.start()
    try:
        connection.request("GET", target, headers={"User-Agent": "annals", "Accept-Encoding": "identity"})
        response = connection.getresponse()
        yield Answer(response.status, response.headers, response, policy, overdue)
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable("is too slow or does not answer as a web server should") from error
    finally:
        timer.cancel()
        connection.close()


def _connected(url: str, policy: Policy) -> tuple[http.client.HTTPConnection, str]:
    """A connection to the URL's host, and what to ask for there."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()
        usual_port = 443 if parts.scheme == "https" else 80
        port = parts.port or usual_port
    except ValueError:
        raise Unreachable("is not an http or https URL") from None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise Unreachable("is not an http or https URL, or has a user name in it")
    connection = http.client.HTTPConnection(host, port)
    connection.auto_open = 0  # nobody but `_socket` connects
    connection.default_port = usual_port  # not named in `Host`, which may be signed
    connection.sock = _socket(host, port, policy, secure=parts.scheme == "https")
    return connection, quote(f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}", safe=_UNQUOTED)


def _socket(host: str, port: int, policy: Policy, *, secure: bool) -> socket.socket:
    plain = connect(host, port, allow_private=policy.allow_private)
    plain.settimeout(SILENCE_SECONDS)
    if not secure:
        return plain
    try:
        return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    except OSError as error:
        plain.close()
        raise Unreachable("does not prove that it is who it says (TLS)") from error


def _cut_off(connection: socket.socket | None, overdue: Event) -> None:
    overdue.set()
    if connection is not None:
        with suppress(OSError):  # it has ended just now
            connection.shutdown(socket.SHUT_RDWR)
