"""Draws the pictures of docs/images anew: `python -m tests.pictures [NAME …]`.

That of Operations needs Prometheus, which is found in PATH or where ANNALS_PICTURES_PROMETHEUS says; it takes three
minutes.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from observability.output import DASHBOARDS

from .campaign import answer, clickhouse_with_a_campaign
from .drawing import draw
from .operations import PROMETHEUS, live

IMAGES = Path(__file__).parents[2] / "docs" / "images"


def main(names: list[str]) -> None:
    """`names`: of some dashboards; none: of all."""
    of_campaign = [name for name in ("campaign", "audit", "all-events") if name in (names or name)]
    if of_campaign:
        with clickhouse_with_a_campaign() as (clickhouse, view):
            for name in of_campaign:
                dashboard = read(name)
                draw(dashboard, partial(answer, clickhouse, view, dashboard), picture(name))
    if "operations" in (names or "operations"):
        _operations()


def _operations() -> None:
    if PROMETHEUS is None:
        sys.exit("Operations is not drawn anew: there is no prometheus in PATH, or in ANNALS_PICTURES_PROMETHEUS")
    dashboard = read("operations")
    with live(PROMETHEUS) as there:
        draw(dashboard, partial(there.answer, dashboard), picture("operations"))


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DASHBOARDS / f"{name}.json").read_text())
    return found


def picture(name: str) -> Path:
    return IMAGES / f"dashboard-{name}.png"


if __name__ == "__main__":
    main(sys.argv[1:])
