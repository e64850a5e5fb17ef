"""A campaign of a hundred people and a million events arrives in ClickHouse: each once, in little memory."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from cli.bootstrap import System
from consumers.forwarder.proof.check import compare
from consumers.forwarder.proof.inventory import Expected
from infra.clickhouse.client import connect
from infra.clickhouse.process import EndpointProcess
from infra.clickhouse.schema import Layout

from ..campaign import simulate
from .test_analytics_chain import REPOSITORY, held, wait_until

PASSWORD = "the forwarder's"
MEMORY = 300 * 1024 * 1024
SECONDS = 300.0


@pytest.mark.soak
def test_a_million_events_are_there_once(system: System, database_url: str, tmp_path: Path) -> None:
    summary = simulate(system, people=100, days=3, events=1_000_000, seed=1)
    with EndpointProcess(tmp_path / "clickhouse", PASSWORD) as endpoint:
        url = f"http://forwarder:{quote(PASSWORD)}@127.0.0.1:{endpoint.port}"
        environment = os.environ | {
            "ANNALS_DATABASE_URL": database_url,
            "ANNALS_CLICKHOUSE_URL": url,
            "ANNALS_DATA": str(tmp_path / "data"),
        }
        command = [sys.executable, "-m", "cli.main", "forward"]
        with (
            closing(connect(url)) as client,
            subprocess.Popen(command, env=environment, cwd=REPOSITORY) as forwarder,
        ):
            most = 0

            def arrived() -> bool:
                nonlocal most
                own = psutil.Process(forwarder.pid)
                most = max(most, sum(process.memory_info().rss for process in [own, *own.children(recursive=True)]))
                return held(client) >= summary.events

            try:
                wait_until(arrived, SECONDS)
                with system.database.connect() as connection:
                    found = compare(connection, client, Layout(), Expected(), summary.events)
            finally:
                forwarder.terminate()
    assert (found.difference, found.held, found.doubled) == (None, summary.events, 0)
    assert forwarder.returncode == 0
    assert most <= MEMORY
