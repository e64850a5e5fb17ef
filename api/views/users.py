"""Users as clients see them."""

from __future__ import annotations

from typing import Any

from domain.user import ADMIN, NONE

Row = dict[str, Any]


def basic(row: Row, base: str) -> Row:
    """What everybody sees."""
    return {
        "url": f"{base}/api/users/{row['id']}",
        "id": row["id"],
        "username": row["username"],
        "first_name": row["first_name"],
        "last_name": row["last_name"],
    }


def full(row: Row, base: str) -> Row:
    """What the user and admins see."""
    is_admin = row["role"] == ADMIN
    return basic(row, base) | {
        "email": row["email"],
        "groups": [] if row["role"] == NONE else [row["role"]],
        "is_staff": is_admin,
        "is_superuser": is_admin,
        "is_active": row["is_active"],
        "last_login": row["last_login"],
        "date_joined": row["date_joined"],
        "has_analytics_access": is_admin,
    }


def reference(row: Row, role: str, base: str) -> Row | None:
    """The user in a `role` (owner, assignee) of a resource, from the columns that its query joined."""
    user_id = row[f"{role}_id"]
    if user_id is None:
        return None
    return {
        "url": f"{base}/api/users/{user_id}",
        "id": user_id,
        "username": row[role],
        "first_name": row[f"{role}_first_name"],
        "last_name": row[f"{role}_last_name"],
    }
