"""What of the log ClickHouse may have forgotten, when its rows expire."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import cast

from clickhouse_connect.driver.client import Client
from psycopg import Connection
from psycopg.rows import DictRow

from domain.telemetry import OLDEST
from infra.clickhouse.client import typed_errors
from infra.clickhouse.schema import Layout, expired_before
from infra.clock import utc_now

MARGIN = timedelta(days=1)
"""Rows that are so near to their end may go while they are looked at, or have gone by the clock of another machine."""

# Positions are in the order of time, as far as the clocks of those who recorded go alike: the log is halved until the
# place is found, twenty looks for a million.
LAST_BEFORE = """
WITH RECURSIVE halves AS (
    SELECT 0::bigint AS low, coalesce(max(position), 0) AS high FROM log.events
    UNION ALL
    SELECT CASE WHEN e.time < %(time)s THEN (low + high + 1) / 2 ELSE low END,
        CASE WHEN e.time < %(time)s THEN high ELSE (low + high + 1) / 2 - 1 END
    FROM halves JOIN log.events e ON e.position = (low + high + 1) / 2
    WHERE low < high
)
SELECT low AS position FROM halves WHERE low = high
"""

# Before that place there may be events whose clock was right, and it was another's that led there.
FIRST_NOT_BEFORE = """
SELECT min(position) AS position FROM log.events WHERE position <= %(until)s AND time >= %(time)s
"""

# And behind it those of clocks that were slow. What clients and servers report happened earlier than it was recorded:
# on the day in the name of its stream.
LATE = """
SELECT position FROM log.events
WHERE position > %(after)s AND time < %(reported)s
    AND (time < %(time)s OR stream LIKE 'telemetry-%%' AND right(stream, 10) < %(day)s)
ORDER BY position
"""

# Of the table's blocks only those that can have such events, by the index of places and times: reckoning with clocks
# that have nothing to do with positions, the planner would read all.
BY_BLOCKS = "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_seqscan = off"
HELD = """
SELECT DISTINCT position FROM {database}.events
WHERE timestamp < {{time:DateTime}} AND position > {{after:UInt64}}
"""


def expired(connection: Connection[DictRow], client: Client, layout: Layout, after: int) -> tuple[int, list[int]]:
    """The last position up to which all rows may have gone, 0 when none ever do; and those behind it, and behind
    `after`, whose rows may have gone and are not there. Raises Unavailable, ClickHouseRefused.
    """
    moment = expired_before(layout, utc_now() + MARGIN)
    if moment is None:
        return 0, []
    near = _position(connection, LAST_BEFORE, {"time": moment}) or 0
    with connection.transaction():
        connection.execute(BY_BLOCKS)
        first = _position(connection, FIRST_NOT_BEFORE, {"time": moment, "until": near})
        floor = near if first is None else first - 1
        bounds = {"after": max(floor, after), "time": moment}
        reported = {"reported": moment + OLDEST + MARGIN, "day": moment.date().isoformat()}
        late = connection.execute(LATE, bounds | reported).fetchall()
    if not late:
        return floor, []
    with typed_errors():
        held = client.query(HELD.format(database=layout.database), parameters=bounds).result_rows
    return floor, sorted({row["position"] for row in late} - {position for (position,) in held})


def _position(connection: Connection[DictRow], statement: str, bounds: Mapping[str, object]) -> int | None:
    row = connection.execute(statement, bounds).fetchone()
    return cast("int | None", row["position"]) if row else None
