"""Named queries from `projections/queries/*.sql`: `-- name: …`, a line that says what it answers, the statement."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def queries(noun: str) -> dict[str, bytes]:
    """Name → statement, of one file."""
    text = files("projections.queries").joinpath(f"{noun}.sql").read_text()
    return {name: statement.encode() for name, statement in named(text).items()}


def named(text: str) -> dict[str, str]:
    """Name → statement, of the text of such a file."""
    parts = _NAME.split(text)
    return {name: body.strip().rstrip(";") for name, body in zip(parts[1::2], parts[2::2], strict=True)}
