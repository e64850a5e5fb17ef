"""How the server is right now, from its own database: also when ClickHouse is away."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from api.readings import HEAD
from infra.eventlog.followers import followers
from infra.postgres import verifications
from infra.postgres.database import Database
from projections.named_queries import queries


def state(database: Database, wanted: Sequence[str] | None = None) -> dict[str, Any]:
    """The log's head; queues, agents, followers of the log, what they could not pass on, the last verifications. Times
    are seconds since 1970. `wanted`: the followers that should be at work; None when that is not known.
    """
    mine = queries("dashboard")
    return {
        "time": time.time(),
        "position": database.query(HEAD)[0]["head"],
        "queues": database.query(queries("requests")["queues"]),
        "agents": database.query(mine["agents"]),
        "followers": [asdict(one) | {"state": one.trouble or one.state} for one in followers(database, wanted)],
        "dead_letters": database.query(mine["dead_letters"]),
        "verifications": [_verification(row) for row in verifications.last(database)],
    }


def _verification(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": row["scope"],
        "position": row["position"],
        "differences": row["differences"],
        "unknown": row["unknown"],
        "finished": row["finished_at"].timestamp(),
        "seconds": (row["finished_at"] - row["started_at"]).total_seconds(),
    }
