"""Logging in as browsers do."""

from __future__ import annotations

import httpx


def log_in(client: httpx.Client, credentials: tuple[str, str]) -> str:
    """The client keeps the cookies; the token is returned."""
    username, password = credentials
    answer = client.post("/api/auth/login", json={"username": username, "password": password})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["key"])
