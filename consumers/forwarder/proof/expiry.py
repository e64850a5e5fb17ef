"""What of the log ClickHouse may have forgotten, when its rows expire."""

from __future__ import annotations

from datetime import datetime, timedelta

from clickhouse_connect.driver.client import Client
from psycopg import Connection
from psycopg.rows import DictRow

from domain.telemetry import OLDEST
from infra.clickhouse.client import typed_errors
from infra.clickhouse.schema import Layout, expired_before
from infra.clock import utc_now

MARGIN = timedelta(days=1)
"""Rows that are so near to their end may go while they are looked at, or have gone by the clock of another machine."""

# Positions are in the order of time, so the log is halved until the place is found: twenty looks for a million.
LAST_BEFORE = """
WITH RECURSIVE halves AS (
    SELECT 0::bigint AS low, coalesce(max(position), 0) AS high FROM log.events
    UNION ALL
    SELECT CASE WHEN e.time < %(time)s THEN (low + high + 1) / 2 ELSE low END,
        CASE WHEN e.time < %(time)s THEN high ELSE (low + high + 1) / 2 - 1 END
    FROM halves JOIN log.events e ON e.position = (low + high + 1) / 2
    WHERE low < high
)
SELECT low FROM halves WHERE low = high
"""

# What clients and servers report happened earlier than it was recorded: on the day in the name of its stream.
LATE = """
SELECT position FROM log.events
WHERE position > %(after)s AND position <= %(until)s
    AND (time < %(time)s OR stream LIKE 'telemetry-%%' AND right(stream, 10) < %(day)s)
ORDER BY position
"""
HELD = """
SELECT DISTINCT position FROM {database}.events
WHERE timestamp < {{time:DateTime}} AND position > {{after:UInt64}} AND position <= {{until:UInt64}}
"""


def expired(connection: Connection[DictRow], client: Client, layout: Layout, after: int) -> tuple[int, list[int]]:
    """The last position up to which all rows may have gone, 0 when none ever do; and those behind it, and behind
    `after`, whose rows may have gone and are not there. Raises Unavailable, ClickHouseRefused.
    """
    moment = expired_before(layout, utc_now() + MARGIN)
    if moment is None:
        return 0, []
    floor = _last_before(connection, moment)
    bounds = {"after": max(floor, after), "until": _last_before(connection, moment + OLDEST + MARGIN), "time": moment}
    late = connection.execute(LATE, {**bounds, "day": moment.date().isoformat()}).fetchall()
    if not late:
        return floor, []
    with typed_errors():
        held = client.query(HELD.format(database=layout.database), parameters=bounds).result_rows
    return floor, sorted({row["position"] for row in late} - {position for (position,) in held})


def _last_before(connection: Connection[DictRow], moment: datetime) -> int:
    row = connection.execute(LAST_BEFORE, {"time": moment}).fetchone()
    return int(row["low"]) if row else 0
