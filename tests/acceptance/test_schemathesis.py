"""Five minutes of requests that schemathesis makes up from our own description of the API: whatever comes, no 5xx."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..contract.pictures import noise
from .conftest import Served

SECONDS = 300
THINGS = 30
"""So many tasks, and no fewer projects, labels and jobs, are there when it begins."""

LEFT_OUT = {
    "/api/log/stream": "never ends",
    "/api/auth/logout": "ends the login that the requests come with",
    "/api/auth/password/change": "likewise",
    "/api/users/{user_id}": "likewise, for the user that they come from",
}


@pytest.mark.soak
def test_nothing_fails_whatever_comes(serve: Callable[..., Served], tmp_path: Path) -> None:
    server = serve(ANNALS_REQUEST_HOLD_SECONDS="0.1").ready()
    token = _prepared(server)
    description = tmp_path / "schema.json"
    description.write_text(json.dumps(_pointed(httpx.get(f"{server.url}/api/schema/").json())))
    done = subprocess.run(
        [Path(sys.executable).with_name("schemathesis"), "run", description, *_options(server.url, token)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS * 2,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:]
    # Not with the password: so many have tried others that nobody may log in from here for a while.
    answer = httpx.get(f"{server.url}/api/tasks", headers={"Authorization": f"Token {token}"})
    assert answer.status_code == 200, answer.text
    assert server.stop() == 0


def _pointed(description: Any) -> Any:
    """The same, with ids that mostly lead to something."""
    for operations in description["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path" and parameter["schema"].get("type") == "integer":
                    parameter["schema"] |= {"minimum": 1, "maximum": THINGS}
    return description


def _prepared(server: Served) -> str:
    """Fills a server with things to ask for; returns a token of the administrator's."""
    password = (server.data / "admin-password").read_text().strip()
    key = httpx.post(f"{server.url}/api/auth/login", json={"username": "admin", "password": password}).json()["key"]
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Token {key}"}, timeout=30) as http:
        for _ in range(THINGS):
            project = {"name": "animals", "labels": [{"name": "cat"}]}
            project_id = http.post("/api/projects", json=project).raise_for_status().json()["id"]
            task = http.post("/api/tasks", json={"name": "a", "project_id": project_id}).raise_for_status().json()
            data = f"/api/tasks/{task['id']}/data"
            files = {f"client_files[{n}]": (f"{n}.jpg", noise(seed=n)) for n in range(3)}
            http.post(data, headers={"Upload-Multiple": ""}, files=files).raise_for_status()
            options = {"image_quality": 70}
            http.post(data, headers={"Upload-Finish": ""}, json=options).raise_for_status()
    return str(key)


def _options(url: str, token: str) -> list[str]:
    left_out = [option for path in LEFT_OUT for option in ("--exclude-path", path)]
    return [
        *("--url", url),
        *("--header", f"Authorization: Token {token}"),
        *("--checks", "not_a_server_error"),
        *("--max-time", str(SECONDS)),
        *("--workers", "1"),  # CPython 3.11 compiles in one thread at a time only, and hypothesis compiles
        *("--request-timeout", "30"),
        *("--suppress-health-check", "all"),
        *("--generation-database", ":memory:"),
        "--continue-on-failure",
        "--no-color",
        *left_out,
    ]
