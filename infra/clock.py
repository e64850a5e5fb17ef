"""The time of day."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """With microseconds and time zone."""
    return datetime.now(UTC)
