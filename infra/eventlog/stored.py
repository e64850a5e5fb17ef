"""Events as they are stored, for those who pass them on: no domain objects are made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from infra.eventlog.mapper import ZstdCompressor
from infra.eventlog.reader import FETCH_BYTES, FETCH_EVENTS

READ = b"""
SELECT * FROM (
    SELECT *, sum(octet_length(state)) OVER (ORDER BY position) AS bytes,
        row_number() OVER (ORDER BY position) AS number
    FROM log.events WHERE position > %s ORDER BY position LIMIT %s
) e
WHERE bytes <= %s OR number = 1
"""

_compressor = ZstdCompressor()


def stored_events(connection: Connection[DictRow], after: int) -> Iterator[tuple[dict[str, Any], bytes]]:
    """The next events behind a position, as many as are good to handle at once: all columns but `state`, and the body
    as JSON text, which is unpacked one at a time. Raises ValueError for one that is damaged.
    """
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(READ, (after, FETCH_EVENTS, FETCH_BYTES)).fetchall()
    for row in rows:
        del row["bytes"], row["number"]
        yield row, _compressor.decompress(bytes(row.pop("state")))
