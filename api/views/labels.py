"""Labels as clients see them."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]


def label(row: Row, base: str) -> Row:  # noqa: ARG001  (every view has this signature)
    result = {
        "id": row["id"],
        "name": row["name"],
        "color": row["color"],
        "attributes": row["attributes"],
        "type": row["type"],
        "svg": row["svg"],
        "sublabels": [sublabel | {"has_parent": True} for sublabel in row["sublabels"] or []],
        "has_parent": row["parent_id"] is not None,
        "parent_id": row["parent_id"],
    }
    parent = "project_id" if row["project_id"] is not None else "task_id"
    return result | {parent: row[parent]}
