"""The files that are written, and what stands in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from observability import alerts, all_events, audit, campaign, operations

DOCKER = Path(__file__).parents[1] / "docker"
DASHBOARDS = DOCKER / "grafana" / "dashboards"
RULES = DOCKER / "prometheus" / "rules.yml"
WRITTEN = "# Written by `make dashboards` from observability/alerts.py.\n"


def files() -> dict[Path, str]:
    """Path → content."""
    boards = (operations.dashboard(), campaign.dashboard(), audit.dashboard(), all_events.dashboard())
    return {
        **{DASHBOARDS / f"{name(board)}.json": as_json(board) for board in boards},
        RULES: as_yaml(alerts.prometheus_rules()),
        DOCKER / "grafana" / "provisioning" / "alerting" / "annals.yaml": as_yaml(alerts.grafana_rules()),
    }


def name(board: Dashboard) -> str:
    title = board.build().title
    assert title is not None
    return title.lower().replace(" ", "-")


def as_json(board: Dashboard) -> str:
    """With ids for the panels, which Grafana would give them."""
    made = board.build()
    for number, panel in enumerate(made.panels or [], 1):
        panel.id_val = number
    return json.dumps(made, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def as_yaml(content: dict[str, Any]) -> str:
    text: str = yaml.safe_dump(content, sort_keys=False, width=120, allow_unicode=True)
    return WRITTEN + text
