"""How the routes stand, as the database knows it; also when no forwarder runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from consumers.forwarder.topology import Route, sink_name
from infra.eventlog.followers import RELAY, Follower, followers
from infra.postgres import verifications
from infra.postgres.database import Database


def standings(database: Database, routes: Sequence[Route]) -> list[dict[str, Any]]:
    """Of each sink, and of those besides that are not in use any more."""
    compared = {row["scope"]: row for row in verifications.last(database)}
    sinks = {route.consumer: route.name for route in routes}
    found = [one for one in followers(database, list(sinks)) if one.follower != RELAY]
    return [_standing(one, sinks.get(one.follower), compared) for one in found]


def _standing(one: Follower, sink: str | None, compared: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "sink": sink or sink_name(one.follower),
        "state": one.state,
        "position": one.position,
        "behind": one.events if one.in_use else None,
        "seconds": round(one.seconds, 1) if one.in_use else None,
        "trouble": one.trouble,
        "dead_letters": one.dead_letters,
        **_comparison(compared.get(sink) if sink else None),
    }


def _comparison(row: dict[str, Any] | None) -> dict[str, Any]:
    if row is None:
        return {"compared_until": None, "compared_at": None, "differences": None}
    return {"compared_until": row["position"], "compared_at": row["finished_at"], "differences": row["differences"]}
