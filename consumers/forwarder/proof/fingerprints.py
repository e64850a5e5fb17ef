"""Fingerprints of runs of positions: the same sum, computed by PostgreSQL over the log and by ClickHouse over the rows.

Counts tell that every position is there; these tell that it is the same event: its stream, version and type, and when
it was recorded. Where streams are redacted, the rest of that.
"""

from __future__ import annotations

from clickhouse_connect.driver.client import Client
from psycopg import Connection
from psycopg.rows import DictRow

from consumers.forwarder.proof.inventory import Expected
from domain.events.telemetry import ClientEventsReported, ServerEventsReported
from infra.clickhouse.client import typed_errors

PARTS = 1_000
"""Into so many blocks a run is cut at each step of a search."""

# The first 32 bits of an MD5, as a number, summed: order does not matter, and both databases have it.
LOGGED_SUM = """sum((
    'x' || substr(md5(position || ' ' || {stream} || ' ' || version || ' ' || type || ' ' || {time}), 1, 8)
)::bit(32)::bigint)::bigint"""
HELD_SUM = """toInt64(sumIf(reinterpretAsUInt32(reverse(substring(MD5(
    concat(toString(position), ' ', {stream}, ' ', toString(version), ' ', event_type, ' ', {time})
), 1, 4))), row = 0))"""
OWN_TIMES = f"('{ClientEventsReported.type_name}', '{ServerEventsReported.type_name}')"
"""Types of events whose rows tell when what is reported happened, not when it was recorded."""
LOGGED_TIME = f"CASE WHEN type IN {OWN_TIMES} THEN '' ELSE floor(extract(epoch FROM time) * 1000)::bigint::text END"
HELD_TIME = f"if(event_type IN {OWN_TIMES}, '', toString(toUnixTimestamp64Milli(timestamp)))"
LOGGED = """
SELECT (position - %(after)s - 1) / %(size)s AS block, {fingerprint} AS sum
FROM log.events WHERE position > %(after)s AND position <= %(until)s AND NOT position = ANY(%(absent)s)
GROUP BY block
"""
HELD = """
SELECT intDiv(position - {{after:UInt64}} - 1, {{size:UInt64}}) AS block, {fingerprint}
FROM {database}.events WHERE row = 0 AND position > {{after:UInt64}} AND position <= {{until:UInt64}}
GROUP BY block
"""


def of_logged(expected: Expected) -> str:
    """The sum over events of the log, in PostgreSQL's words."""
    return LOGGED_SUM.format(stream=_stream(expected), time=LOGGED_TIME)


def of_held(expected: Expected) -> str:
    """The sum over rows, in ClickHouse's words."""
    return HELD_SUM.format(stream=_stream(expected), time=HELD_TIME)


def first_different(
    connection: Connection[DictRow], client: Client, database: str, expected: Expected, after: int, until: int
) -> int | None:
    """The first position of `after` < position <= `until` that is another event in ClickHouse than in the log."""
    while after < until:
        size = -(-(until - after) // PARTS)
        logged = _of_log(connection, expected, after, until, size)
        held = _of_rows(client, database, expected, after, until, size)
        wrong = [block for block in logged.keys() | held.keys() if logged.get(block) != held.get(block)]
        if not wrong:
            return None
        first = after + min(wrong) * size
        if size == 1:
            return first + 1
        after, until = first, min(first + size, until)
    return None


def _of_log(connection: Connection[DictRow], expected: Expected, after: int, until: int, size: int) -> dict[int, int]:
    bounds = {"after": after, "until": until, "size": size, "absent": expected.absent}
    statement = LOGGED.format(fingerprint=of_logged(expected))
    return {row["block"]: row["sum"] for row in connection.execute(statement, bounds)}


def _of_rows(client: Client, database: str, expected: Expected, after: int, until: int, size: int) -> dict[int, int]:
    bounds = {"after": after, "until": until, "size": size}
    with typed_errors():
        statement = HELD.format(database=database, fingerprint=of_held(expected))
        rows = client.query(statement, parameters=bounds).result_rows
    return {int(block): int(total) for block, total in rows}


def _stream(expected: Expected) -> str:
    return "stream" if expected.streams else "''"
