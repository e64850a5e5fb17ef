"""Objects by key: what of S3 is needed here, with timeouts, retries, and errors in our words."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from domain.errors import StorageFull, Unavailable
from infra.blobs.disk import disk_errors
from infra.blobs.s3.credentials import credentials_file
from infra.blobs.s3.location import Location

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

AT_ONCE = 4 * 1024 * 1024
"""Bytes up to which an object is sent in one request, and in which a larger one is read."""

PART = 8 * 1024 * 1024
PARTS_AT_ONCE = 4
PAGE = 1_000
"""Objects that one answer to a listing names."""

MOST_PARTS = 9_000  # S3 takes 10,000

MOST_COPIED = 5 * 1024**3
"""Bytes up to which S3 copies by itself."""

CLIENT: ClientConfig = {"connect_timeout": "5s", "timeout": "60s", "read_timeout": "20s"}
RETRY: RetryConfig = {
    "max_retries": 6,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2},
}
"""Backoff has jitter. What fails for longer fails the request: the client, or the agent, tries it again."""

STATUS = re.compile(r"status code: (\d{3}[\w ]*)")
CODE = re.compile(r"<Code>(\w{1,60})</Code>")


class Object(NamedTuple):
    """`size`: bytes. `stored`: when its content was last written, as the server has it; a POSIX time."""

    key: str
    size: int
    stored: float


class Bucket:
    """The objects of a bucket whose keys begin with the location's prefix. FileNotFoundError is raised for what is not
    there, Unavailable when the server does not answer or refuses, StorageFull when it is full.
    """

    def __init__(self, location: Location) -> None:
        self._store = _open(location, CLIENT)
        # The timeout of a request includes its answer's body, which may be 25 GiB: here each read has one instead.
        self._bodies = _open(location, {**CLIENT, "timeout": "1d"})

    def put(self, key: str, file: Path, size: int) -> None:
        """Returns when the server has acknowledged all of it. Each request is signed together with the SHA-256 of its
        body, so that bytes which change on their way are refused.
        """
        with disk_errors(), file.open("rb") as source, _errors(missing="The bucket does not exist"):
            if size <= AT_ONCE:
                obstore.put(self._store, key, source.read(), use_multipart=False)
            else:
                obstore.put(self._store, key, file, chunk_size=_part(size), max_concurrency=PARTS_AT_ONCE)

    def head(self, key: str) -> Object:
        with _errors():
            found = obstore.head(self._store, key)
        return Object(key, found["size"], found["last_modified"].timestamp())

    def read(self, key: str) -> Iterator[memoryview]:
        """The content, piece by piece; a connection that breaks is continued where it broke."""
        with _errors():
            for piece in obstore.get(self._bodies, key).stream(AT_ONCE):
                yield memoryview(piece)

    def copy(self, source: str, target: str, size: int) -> None:
        with _errors():
            if size <= MOST_COPIED:
                obstore.copy(self._store, source, target)
            else:
                asyncio.run(self._copy_in_parts(source, target, size))

    async def _copy_in_parts(self, source: str, target: str, size: int) -> None:
        """Through this machine: the library has no other way."""
        pieces = (await obstore.get_async(self._bodies, source)).stream(PART)
        await obstore.put_async(
            self._store, target, pieces, chunk_size=_part(size), max_concurrency=PARTS_AT_ONCE, use_multipart=True
        )

    def delete(self, key: str) -> None:
        """What is not there is no error, though some servers say so."""
        with _errors(), suppress(FileNotFoundError):
            obstore.delete(self._store, key)

    def list(self, folder: str | None = None) -> Iterator[Object]:
        """The objects below a folder, or all, in the order of their keys."""
        with _errors(missing="The bucket does not exist"):
            for page in obstore.list(self._store, folder, chunk_size=PAGE):
                for found in page:
                    yield Object(found["path"], found["size"], found["last_modified"].timestamp())


def _part(size: int) -> int:
    """Bytes of each part of an object, but the last."""
    return max(PART, -(-size // MOST_PARTS))


def _open(location: Location, client: ClientConfig) -> S3Store:
    options: ClientConfig = {**client, "allow_http": bool(location.endpoint and location.endpoint.startswith("http:"))}
    if authority := os.environ.get("AWS_CA_BUNDLE"):
        options["root_certificate"] = Path(authority).read_bytes()
    credentials = credentials_file()
    if credentials:
        credentials()  # what is wrong with the file is told now, in words
    given = {"endpoint": location.endpoint, "region": location.region}
    return S3Store(
        location.bucket,
        prefix=location.prefix,
        client_options=options,
        retry_config=RETRY,
        credential_provider=credentials,
        virtual_hosted_style_request=False,
        disable_bulk_delete=True,  # its answer differs most between servers
        **{name: value for name, value in given.items() if value},  # type: ignore[arg-type]
    )


@contextmanager
def _errors(missing: str | None = None) -> Iterator[None]:
    """`missing`: what it means when what was asked for is not there."""
    try:
        yield
    except FileNotFoundError as error:
        if missing is None:
            raise
        _raise(str(error), missing)
    except BaseError as error:
        _raise(str(error), "It can't be reached")


def _raise(words: str, otherwise: str) -> NoReturn:
    """The library's words go no further: they quote what the server answered, and that what was sent."""
    status, code = STATUS.search(words), CODE.search(words)
    told = " ".join(match[1].strip() for match in (status, code) if match)
    if "507" in told or "StorageFull" in told or "Quota" in told:
        raise StorageFull(f"The blob store is full: {told}") from None
    raise Unavailable(f"The blob store did not do what was asked: {told or otherwise}") from None
