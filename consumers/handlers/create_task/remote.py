"""Files that others keep, by their URLs."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Lock
from urllib.parse import unquote, urlsplit

from consumers.handlers.handler import Tools
from domain.errors import Invalid, MediaError
from domain.events.data import ReceivedFile
from domain.file_names import safe_name
from domain.sorting import listed
from infra.http.addresses import Unreachable
from infra.http.client import Policy, get

AT_ONCE = 8
OK = 200


class Remote:
    """Each file is named by the last part of its URL's path."""

    def __init__(self, tools: Tools, urls: Sequence[str]) -> None:
        """Raises MediaError for too many, for names that are equal, or that are none."""
        settings = tools.settings
        if len(urls) > settings.max_remote_files:
            raise MediaError(f"At most {settings.max_remote_files:,} files can be fetched for a task")
        names = [_name(url) for url in urls]
        if repeated := [name for name, count in Counter(names).items() if count > 1]:
            raise MediaError(f"Several URLs lead to files of the same name: {listed(repeated)}")
        self._urls, self._blobs = dict(zip(names, urls, strict=True)), tools.blobs
        self._policy = Policy(settings.remote_seconds, settings.max_upload_bytes, settings.allow_private_addresses)

    @property
    def names(self) -> Sequence[str]:
        return list(self._urls)

    def fetch(self, names: Collection[str]) -> Mapping[str, ReceivedFile]:
        budget = _Budget(self._policy.max_bytes)
        threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="remote")
        try:
            return dict(zip(names, threads.map(lambda name: self._fetch(name, budget), names), strict=True))
        finally:
            budget.close()
            threads.shutdown(cancel_futures=True)

    def _fetch(self, name: str, budget: _Budget) -> ReceivedFile:
        url = self._urls[name]
        try:
            with get(url, replace(self._policy, max_bytes=budget.left)) as answer:
                if answer.status != OK:
                    raise Unreachable(f"answers with status {answer.status}")
                blob = self._blobs.put(budget.counted(answer.pieces()))
        except Unreachable as error:
            raise MediaError(f"Failed to download {url}: {error.message}") from error
        return ReceivedFile(name=name, sha256=blob.sha256, size=blob.size)


class _Budget:
    """The bytes that all files together may have. Thread-safe."""

    def __init__(self, size: int) -> None:
        self._size, self.left = size, size
        self._lock = Lock()

    def close(self) -> None:
        """Nothing more is wanted: who still reads is stopped."""
        with self._lock:
            self.left = 0

    def counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Raises Unreachable for too many bytes."""
        for piece in pieces:
            with self._lock:
                self.left -= len(piece)
                if self.left < 0:
                    raise Unreachable(f"all files together are larger than {self._size:,} bytes")
            yield piece


def _name(url: str) -> str:
    try:
        return safe_name(posixpath.basename(unquote(urlsplit(url).path)))
    except Invalid:
        raise MediaError(f"{url} does not end with the name of a file") from None
