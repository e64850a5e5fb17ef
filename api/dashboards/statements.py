"""The fixed questions to ClickHouse, from the `.sql` files beside this one. No part of them comes from a client."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from string import Template

from projections.named_queries import named


@cache
def statements(dashboard: str) -> dict[str, str]:
    """Name → statement, of one dashboard: `${part}` in it stands for that part of `parts.sql`."""
    parts: dict[str, str] = {}
    for name, part in _named("parts").items():
        parts[name] = Template(part).substitute(parts)
    return {name: Template(statement).substitute(parts) for name, statement in _named(dashboard).items()}


def _named(name: str) -> dict[str, str]:
    return named(files("api.dashboards").joinpath(f"{name}.sql").read_text())
