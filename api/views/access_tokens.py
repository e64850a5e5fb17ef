"""Access tokens as their owners see them."""

from __future__ import annotations

from typing import Any

from api.views.users import reference

Row = dict[str, Any]
SHOWN = ("id", "name", "created_date", "updated_date", "expiry_date", "last_used_date", "read_only")


def access_token(row: Row, base: str) -> Row:
    """Without its value, which nobody knows any more."""
    return {name: row[name] for name in SHOWN} | {"owner": reference(row, "owner", base)}
