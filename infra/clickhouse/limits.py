"""Every bound of the embedded ClickHouse in one place."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

MIB = 1024 * 1024


def _query_threads() -> int:
    return max(1, min(4, os.cpu_count() or 1))


@dataclass(frozen=True)
class Limits:
    """What one query, one client and the whole engine may use. Sizes in bytes, times in seconds.

    A client may ask for less than the defaults, and for more up to the `_max` values; the engine enforces both.
    """

    concurrency: int = 8
    """Queries of readers that run at the same time; the next ones wait."""
    reader_concurrency: int = 6
    """Of these, how many one reader may have, so that there is always room for others."""
    writer_concurrency: int = 4
    """The same for the writer, whom no crowd of readers keeps waiting."""
    waiting: int = 128
    """Queries of one user that may wait for a turn; beyond that the answer is 503 (TOO_MANY_SIMULTANEOUS_QUERIES)."""
    connections: int = 512
    """Of readers. When there are more, those that only wait are closed for them; else 503, as above."""
    connections_of_address: int = 384
    """The same for those from one address, so that there is room for others."""
    strangers: int = 512
    """Connections that have not told yet who they are; for one more, the oldest is closed."""
    query_threads: int = field(default_factory=_query_threads)
    query_threads_max: int = 16
    query_seconds: int = 60
    query_seconds_max: int = 600
    query_memory: int = 512 * MIB
    query_memory_max: int = 1024 * MIB
    engine_memory: int = 1536 * MIB
    query_text: int = 256 * 1024
    """Length of a statement (the data of an INSERT does not count); the engine's max_query_size is the same."""
    form: int = 2 * MIB
    """A statement with its parameters and external tables, sent as a form."""
    insert_body: int = 4096 * MIB
    """Decompressed data of one INSERT."""
    free_space: int = 256 * MIB
    """Of the disk, which inserts and merges leave free: their answer is 243 (NOT_ENOUGH_SPACE)."""
    silence: float = 60.0
    """A client that sends or takes no byte for this long is dropped."""
    head_seconds: float = 10.0
    """How long the head of a request may take to come, with the credentials in it."""
    body_seconds: float = 60.0
    """The same for the body, where it is read before the statement runs: of readers, and forms."""
    keep_alive: int = 75
    shutdown: float = 10.0
    """How long SIGTERM lets running queries finish."""
