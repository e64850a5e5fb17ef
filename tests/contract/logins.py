"""Logging in as browsers do, and how time passes for who is logged in."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

import httpx


def log_in(client: httpx.Client, credentials: tuple[str, str]) -> str:
    """The client keeps the cookies; the token is returned."""
    username, password = credentials
    answer = client.post("/api/auth/login", json={"username": username, "password": password})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["key"])


class Later(datetime):
    """The clock of two days from now: in place of `datetime` where expiry is decided."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + timedelta(days=2)
