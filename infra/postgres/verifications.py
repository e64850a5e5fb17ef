"""What verifications have found, for those who watch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from infra.postgres.database import Database

KEEP = 100


def remember(
    database: Database, started: datetime, position: int, findings: Sequence[dict[str, Any]], *, quick: bool
) -> None:
    """`findings`: each with a `difference`, None when there is none. Keeps the last hundred."""
    differences = sum(finding["difference"] is not None for finding in findings)
    with database.connect() as connection, connection.transaction():
        connection.execute(
            "INSERT INTO log.verifications (started_at, finished_at, position, quick, differences, findings)"
            " VALUES (%s, now(), %s, %s, %s, %s)",
            (started, position, quick, differences, orjson.dumps(findings).decode()),
        )
        connection.execute(
            "DELETE FROM log.verifications WHERE id <= (SELECT max(id) FROM log.verifications) - %s", (KEEP,)
        )


def last(database: Database) -> list[dict[str, Any]]:
    """The last whole one and the last quick one, if there are such."""
    return database.query(
        "SELECT DISTINCT ON (quick) quick, started_at, finished_at, position, differences FROM log.verifications"
        " ORDER BY quick, id DESC"
    )
