"""How the routes stand, as the database knows it; also when no forwarder runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from consumers.forwarder import dead_letters
from consumers.forwarder.status import lag
from consumers.forwarder.topology import LogConfig, Route
from infra.postgres import verifications
from infra.postgres.database import Database


def standings(database: Database, routes: Sequence[Route]) -> list[dict[str, Any]]:
    """Of each sink. Of those that read from Kafka, only Kafka knows how far they are."""
    compared = {row["scope"]: row for row in verifications.last(database)}
    with database.connect() as connection:
        return [
            {
                "sink": route.name,
                **_place(connection, route),
                "dead_letters": dead_letters.count(connection, route.consumer),
                **_comparison(compared.get(route.name)),
            }
            for route in routes
        ]


def _place(connection: Any, route: Route) -> dict[str, Any]:
    if not isinstance(route.source, LogConfig):
        return {"position": None, "behind": None, "seconds": None}
    found = lag(connection, route.consumer)
    return {"position": found.position, "behind": found.events, "seconds": round(found.seconds, 1)}


def _comparison(row: dict[str, Any] | None) -> dict[str, Any]:
    if row is None:
        return {"compared_until": None, "compared_at": None, "differences": None}
    return {"compared_until": row["position"], "compared_at": row["finished_at"], "differences": row["differences"]}
