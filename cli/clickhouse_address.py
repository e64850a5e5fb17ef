"""The way to ClickHouse: the one that the settings name, the running server's, or one that a command starts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from cli.serving.child import Child
from cli.serving.listening import Listening, local_url
from cli.serving.processes import clickhouse_process
from cli.serving.readiness import answers
from cli.serving.secret_file import kept_secret
from cli.serving.server_file import running_server
from domain.errors import Unavailable
from infra.settings import Settings

START_SECONDS = 30.0
LOOK_SECONDS = 0.05
WRITER = "forwarder"
DATABASE = "cvat"


def writer_url(settings: Settings) -> str:
    """With the user and the password of who may write."""
    if settings.clickhouse_url:
        return settings.clickhouse_url
    return _with_writer(settings, local_url(settings.host, settings.clickhouse_port))


def reader_url(settings: Settings) -> str:
    """Of who only asks. No password is in the URL of an embedded one that lets everybody read who can reach it."""
    open_to_all = local_url(settings.host, settings.clickhouse_port)
    embedded = open_to_all if anybody_reads(settings) else writer_url(settings)
    return settings.clickhouse_reader_url or settings.clickhouse_url or embedded


def anybody_reads(settings: Settings) -> bool:
    """Whether the embedded one asks for no password: as ANNALS_CLICKHOUSE_ANONYMOUS says; without it, only where nobody
    but this machine can connect.
    """
    if settings.clickhouse_anonymous is not None:
        return settings.clickhouse_anonymous
    try:
        return ip_address(settings.host).is_loopback
    except ValueError:
        return settings.host == "localhost"


@contextmanager
def any_clickhouse(settings: Settings) -> Iterator[str]:
    """The URL of a running ClickHouse that holds this server's events, with the writer's password."""
    server = running_server(settings.run)
    if settings.clickhouse_url:
        yield settings.clickhouse_url
    elif server is not None:
        yield _with_writer(settings, server.clickhouse_url)
    else:
        with Listening("127.0.0.1", 0, 0, 1) as place, _started(clickhouse_process(settings, place), place):
            yield _with_writer(settings, place.clickhouse_url or "")


@contextmanager
def _started(process: Child, place: Listening) -> Iterator[None]:
    process.start()
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(f"{place.clickhouse_url}/ping"):
            if process.wait(LOOK_SECONDS) or time.monotonic() > deadline:
                raise Unavailable("The embedded ClickHouse does not start: see its log")
        yield
    finally:
        process.ask_to_stop()
        if not process.wait(process.stop_seconds):
            process.kill()


def _with_writer(settings: Settings, url: str) -> str:
    parts = urlsplit(url)
    password = quote(kept_secret(settings.clickhouse_password_file), safe="")
    return parts._replace(netloc=f"{WRITER}:{password}@{parts.netloc}", path=f"/{DATABASE}").geturl()
