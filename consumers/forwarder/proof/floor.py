"""From where on ClickHouse can be expected to hold the log, when its rows expire."""

from __future__ import annotations

from psycopg import Connection
from psycopg.rows import DictRow

from infra.clickhouse.schema import Layout, expired_before
from infra.clock import utc_now

# Positions are in the order of time, so the log is halved until the place is found: twenty looks for a million.
LAST_BEFORE = """
WITH RECURSIVE halves AS (
    SELECT 0::bigint AS low, coalesce(max(position), 0) AS high FROM log.events
    UNION ALL
    SELECT CASE WHEN e.time <= %(time)s THEN (low + high + 1) / 2 ELSE low END,
        CASE WHEN e.time <= %(time)s THEN high ELSE (low + high + 1) / 2 - 1 END
    FROM halves JOIN log.events e ON e.position = (low + high + 1) / 2
    WHERE low < high
)
SELECT low FROM halves WHERE low = high
"""


def floor(connection: Connection[DictRow], layout: Layout) -> int:
    """The last position of which rows in ClickHouse may have expired; 0 when none ever do."""
    moment = expired_before(layout, utc_now())
    if moment is None:
        return 0
    row = connection.execute(LAST_BEFORE, {"time": moment}).fetchone()
    return int(row["low"]) if row else 0
