"""What an edit really changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Changes = dict[str, dict[str, Any]]
"""field → {"from": old, "to": new}"""


def differences(
    fields: Mapping[str, Any], wanted: Mapping[str, Any], names: Mapping[str, str | None] | None = None
) -> Changes:
    """A field that stays as it is is no change. `names`: of whom new values refer to, by their fields."""
    changes = {field: {"from": fields[field], "to": new} for field, new in wanted.items() if fields[field] != new}
    for field in changes.keys() & (names or {}):
        if name := (names or {})[field]:
            changes[field]["name"] = name
    return changes
