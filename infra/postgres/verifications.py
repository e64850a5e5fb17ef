"""What verifications have found, for those who watch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from psycopg import Connection
from psycopg.rows import DictRow

from infra.postgres.database import Database

KEEP = 100
"""Of each scope."""


def remember(
    database: Database, started: datetime, position: int, findings: Sequence[dict[str, Any]], *, scope: str
) -> None:
    """`findings`: each with a `difference`, None when there is none; where it could not be compared, with an `unknown`
    that says why. `scope`: `whole`, `quick`, `clickhouse`, or a sink of the topology. Keeps the last hundred of each.
    """
    differences = sum(finding["difference"] is not None for finding in findings)
    with database.connect() as connection, connection.transaction():
        connection.execute(
            "INSERT INTO log.verifications (started_at, finished_at, position, scope, differences, findings)"
            " VALUES (%s, now(), %s, %s, %s, %s)",
            (started, position, scope, differences, orjson.dumps(findings).decode()),
        )
        connection.execute(
            "DELETE FROM log.verifications WHERE scope = %(scope)s AND id <= ("
            "SELECT id FROM log.verifications WHERE scope = %(scope)s ORDER BY id DESC OFFSET %(keep)s LIMIT 1)",
            {"scope": scope, "keep": KEEP},
        )


def last(database: Database) -> list[dict[str, Any]]:
    """The last one of each scope."""
    return database.query(
        "SELECT DISTINCT ON (scope) scope, started_at, finished_at, position, differences,"
        " (SELECT count(*) FROM json_array_elements(findings) f WHERE f->>'unknown' IS NOT NULL) AS unknown"
        " FROM log.verifications ORDER BY scope, id DESC"
    )


def forget(connection: Connection[DictRow], scope: str) -> None:
    connection.execute("DELETE FROM log.verifications WHERE scope = %s", (scope,))
