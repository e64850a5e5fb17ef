"""`/metrics` of a whole server: whichever process is asked, it tells of all of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import httpx
from prometheus_client.parser import text_string_to_metric_families

from ..waiting import wait_until
from .conftest import Served

REQUESTS = 60
ROUTE = ("annals_http_requests_total", "GET", "/api/tasks/{task_id}", "404")


def readings(http: httpx.Client) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(http.get("/metrics").raise_for_status().text)
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def check_count(http: httpx.Client, requests: int) -> None:
    """Another process than the one that is asked may have answered, and be about to count that."""
    wait_until(lambda: readings(http).get(ROUTE, 0) >= requests)
    assert readings(http)[ROUTE] == requests


def ask(server: Served, times: int) -> None:
    """Each over a connection of its own, so that all workers get some."""
    password = (server.data / "admin-password").read_text().strip()
    answer = httpx.post(f"{server.url}/api/auth/login", json={"username": "admin", "password": password})
    headers = {"Authorization": f"Token {answer.json()['key']}"}
    for number in range(times):
        assert httpx.get(f"{server.url}/api/tasks/{number + 1}", headers=headers).status_code == 404


def test_the_counts_of_all_processes_are_one_and_outlive_them(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "2").ready()
    ask(server, REQUESTS)
    with server.http() as http:
        check_count(http, REQUESTS)
        wait_until(lambda: readings(http).get(("annals_queue_agents", "import")) == 1)  # it starts after the server
    folder = server.data / "run" / "metrics"
    files = [folder / f"counter_api-{number}.db" for number in (1, 2)]
    wait_until(lambda: all(file.exists() and file.stat().st_size > 0 for file in files))  # ready is who has one of them
    assert set(folder.glob("counter_api-*.db")) == set(files)
    killed = server.pid("api-1")
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: server.pid("api-1") != killed)
    ask(server, REQUESTS)
    with server.http() as http:
        check_count(http, 2 * REQUESTS)
    assert server.stop() == 0
    again = serve().ready()
    with again.http() as http:
        assert ROUTE not in readings(http)
