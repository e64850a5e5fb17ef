"""Each part of a server is killed with -9 while people annotate; the server goes on, and starts it anew."""

from __future__ import annotations

import os
import random
import signal
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from infra.postgres.embedded import EmbeddedPostgres

from ..waiting import wait_until
from .conftest import Served
from .load import Load, seconds_until

PARTS = ["api-1", "agent", "forward", "clickhouse", "postgres"]
RESTART_SECONDS = 5.0
KILLS = 50


class Part:
    """A process of a server, which is another one after it was killed."""

    def __init__(self, server: Served, name: str) -> None:
        self._server, self._name = server, name

    def pid(self) -> int:
        return self._server.postmaster() if self._name == "postgres" else self._server.pid(self._name)

    def kill(self) -> float:
        """Returns after how many seconds another one serves. The other processes go on."""
        killed, began = self.pid(), time.monotonic()
        others = {one for one in self._server.info["processes"].items() if one[0] != self._name}
        os.kill(killed, signal.SIGKILL)
        seconds_until(lambda: self._replaced(killed))
        assert others <= self._server.info["processes"].items()
        target = self._head() if self._name == "forward" else 0
        seconds_until(lambda: self._serves(target))
        return time.monotonic() - began

    def _replaced(self, killed: int) -> bool:
        with suppress(OSError, ValueError, IndexError):  # PostgreSQL's file is being written
            return self.pid() != killed and psutil.pid_exists(self.pid())
        return False

    def _serves(self, target: int) -> bool:
        with suppress(httpx.HTTPError, psycopg.OperationalError):
            match self._name:
                case "api-1":
                    return httpx.get(f"{self._server.url}/api/server/about").status_code == 200
                case "agent":
                    sign = "SELECT count(*) FROM log.agents WHERE agent LIKE %s"
                    return ask_postgres(self._server.data, sign, f"%-{self.pid()}-%") > 0
                case "postgres":
                    return ask_postgres(self._server.data, "SELECT 1") == 1
                case _:  # ClickHouse, or who brings it what is in the log
                    return ask_clickhouse(self._server, "SELECT max(position) FROM cvat.events") >= target
        return False

    def _head(self) -> int:
        return ask_postgres(self._server.data, "SELECT max(position) FROM log.events")


def ask_postgres(data: Path, statement: str, *params: object) -> int:
    url = EmbeddedPostgres(data / "postgres").running_url()
    if url is None:
        return 0
    with psycopg.connect(url, connect_timeout=20) as connection:
        row = connection.execute(statement.encode(), params or None).fetchone()
    return int(row[0]) if row else 0


def ask_clickhouse(server: Served, query: str) -> int:
    url = f"http://127.0.0.1:{server.info['clickhouse_port']}/"
    return int(httpx.get(url, params={"query": query}, timeout=20).raise_for_status().text)


@pytest.fixture
def server(serve: Callable[..., Served]) -> Served:
    return serve().ready()


def kill_and_check(server: Served, names: list[str], between: Callable[[], float]) -> dict[str, list[float]]:
    """Kills one after the other under load, each when the one before serves again. Returns seconds of the restarts."""
    restarts: dict[str, list[float]] = {}
    with Load(server) as load:
        for name in names:
            began = time.monotonic()
            restarts.setdefault(name, []).append(Part(server, name).kill())
            wait_until(lambda began=began: load.everybody_since(began))
            time.sleep(between())  # the next one strikes anywhere in the work
    load.check(server)
    proof = server.verify("--blobs")
    assert proof.returncode == 0, proof.stdout
    assert "ClickHouse" in proof.stdout
    if "postgres" in names:
        assert "PostgreSQL has died and is started again" in server.said()
    say(load, restarts)
    return restarts


def say(load: Load, restarts: dict[str, list[float]]) -> None:
    """The figures, for who runs this with `pytest -s`."""
    acknowledged = sum(len(one.acknowledged) for one in load.annotators)
    lines = [f"{acknowledged} submits acknowledged, slowest {load.slowest:.1f} s; answers: {dict(load.answers)}"]
    for name, seconds in restarts.items():
        slowest = f"(median; slowest {max(seconds):.2f} s)"
        lines.append(f"{name}: {len(seconds)} kills, serves again after {statistics.median(seconds):.2f} s {slowest}")
    print("", *lines, sep="\n")  # noqa: T201


def test_whoever_is_killed_nothing_is_lost_or_half_there(server: Served) -> None:
    restarts = kill_and_check(server, PARTS, lambda: 0.0)
    assert restarts.keys() == set(PARTS)


@pytest.mark.soak
def test_nor_when_they_are_killed_again_and_again(server: Served) -> None:
    chance = random.Random(KILLS)
    order = PARTS * (KILLS // 2 // len(PARTS)) + chance.choices(PARTS, k=KILLS // 2)  # in turn, then at random
    restarts = kill_and_check(server, order, lambda: chance.uniform(0.0, 1.0))
    assert sum(map(len, restarts.values())) == KILLS
    assert max(max(seconds) for seconds in restarts.values()) < RESTART_SECONDS
