"""How the server is right now, from its own database: also when ClickHouse is away."""

from __future__ import annotations

import time
from typing import Any

from api.readings import DEAD_LETTERS, HEAD, LAGS
from infra.postgres import verifications
from infra.postgres.database import Database
from projections.named_queries import queries


def state(database: Database) -> dict[str, Any]:
    """The log's head; queues, agents, followers of the log, what they could not pass on, the last verifications. Times
    are seconds since 1970.
    """
    mine = queries("dashboard")
    dead = {row["follower"]: row["letters"] for row in database.query(DEAD_LETTERS)}
    return {
        "time": time.time(),
        "position": database.query(HEAD)[0]["head"],
        "queues": database.query(queries("requests")["queues"]),
        "agents": database.query(mine["agents"]),
        "followers": [row | {"dead_letters": dead[row["follower"]]} for row in database.query(LAGS)],
        "dead_letters": database.query(mine["dead_letters"]),
        "verifications": [_verification(row) for row in verifications.last(database)],
    }


def _verification(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": row["scope"],
        "position": row["position"],
        "differences": row["differences"],
        "finished": row["finished_at"].timestamp(),
        "seconds": (row["finished_at"] - row["started_at"]).total_seconds(),
    }
