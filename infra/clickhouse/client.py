"""A client of any ClickHouse, embedded or not, from its URL."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver import options
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
from urllib3.exceptions import HTTPError

from domain.errors import AnnalsError, Unavailable
from infra.clickhouse.address import LOOPBACK

CONNECT_SECONDS = 5
ANSWER_SECONDS = 30
# What the driver would print to standard error is in the errors that it raises.
logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())


class ClickHouseRefused(AnnalsError):
    """ClickHouse answered with an error. `code`: ClickHouse's number for it, if it gave one."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


def connect(url: str, answer_seconds: float = ANSWER_SECONDS) -> Client:
    """A client for one thread. `url`: `http[s]://user:password@host:port[?option=value]`; options are the driver's.
    `answer_seconds`: how long a ClickHouse that says nothing is waited for.

    A database in the URL is left out: our statements name theirs, and on a fresh server it does not exist yet.
    Raises Unavailable when nobody answers, ClickHouseRefused when ClickHouse does not let us in.
    """
    parts = urlsplit(url)
    leave_out_frames()
    with typed_errors():
        return clickhouse_connect.get_client(
            dsn=parts._replace(path="").geturl(),
            interface=parts.scheme,
            # Within a machine, packing costs more than it saves.
            compress=False if parts.hostname in LOOPBACK else "lz4",
            connect_timeout=CONNECT_SECONDS,
            send_receive_timeout=answer_seconds,
            autogenerate_session_id=False,
            dedicated_pool=True,
            client_name="annals",
        )


@contextmanager
def typed_errors() -> Iterator[None]:
    """Turns what the driver raises into Unavailable (worth another try) or ClickHouseRefused."""
    try:
        yield
    except (OperationalError, HTTPError, OSError) as error:
        raise Unavailable(f"ClickHouse does not answer: {error}") from error
    except ClickHouseError as error:
        raise ClickHouseRefused(str(error), getattr(error, "code", None)) from error


def leave_out_frames() -> None:
    """Keeps the driver from importing pandas and numpy (80 and 15 MB, half a second) at the first insert only to see
    whether the data is theirs.
    """
    for module, option in (("pandas", "pd"), ("numpy", "np")):
        if module not in sys.modules:
            setattr(options, option, None)
