"""Whatever is killed, cut off, stopped or started twice: every event exactly once for plain queries."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from clickhouse_connect.driver.client import Client

from cli.bootstrap import System
from consumers.forwarder import pipeline
from consumers.forwarder.checkpoint import CONSUMER
from consumers.forwarder.status import lag
from consumers.lock import FollowerLock
from domain.errors import Unavailable
from infra.clickhouse.client import ClickHouseRefused, connect
from infra.clickhouse.process import EndpointProcess
from infra.postgres.database import Database

from ...ports import free_port
from ...waiting import wait_until
from .moody import moody, withheld
from .steps import (
    FORWARDER,
    PASSWORD,
    REPOSITORY,
    SECONDS,
    assert_exactly_once,
    count,
    forward,
    forwarded,
    forwarder_process,
    forwarding,
    is_failing,
    record,
    route,
    url_of,
)


def test_what_comes_in_while_it_runs_is_there_soon(system: System, log: Database, url: str, clickhouse: Client) -> None:
    record(system, 1)
    with forwarding(log, url) as forwarder:
        wait_until(lambda: forwarded(log))
        for expected in range(2, 8):
            record(system, 1)
            wait_until(lambda expected=expected: forwarder.status.snapshot().position == expected)  # type: ignore[misc]
        status = forwarder.status.snapshot()
    assert (status.state, status.events, status.failures, status.last_error) == ("forwarding", 7, 0, None)
    assert status.delay > 0
    assert forwarder.status.snapshot().state == "stopped"
    assert_exactly_once(log, clickhouse)


def test_a_stop_sends_what_is_in_the_log_first(
    system: System, log: Database, url: str, clickhouse: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "DRAIN", SECONDS)
    record(system, 1_000)
    with moody(urlsplit(url).port or 0) as proxy:
        asked, answers = threading.Event(), threading.Event()
        proxy.mood = withheld(asked, answers)
        with forwarding(log, proxy.url(url)):
            asked.wait(SECONDS)
            assert not forwarded(log)
            threading.Timer(0.2, answers.set).start()  # after the stop
    assert_exactly_once(log, clickhouse)


def test_kill_9_in_the_middle_of_batches_leaves_nothing_out_and_nothing_double(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    held, cut_short = 0, 0
    while cut_short < 3:
        record(system, 1_500)
        with forwarder_process(log, url) as process:
            wait_until(lambda held=held: count(clickhouse) > held)  # type: ignore[misc]
            time.sleep(random.uniform(0, 0.05))  # anywhere between two batches or in one
            process.kill()
            process.wait()
        cut_short += not forwarded(log)
        held = count(clickhouse)
    forward(log, url)
    assert_exactly_once(log, clickhouse)


def test_clickhouse_may_be_killed_and_stay_away_for_a_while(system: System, log: Database, tmp_path: Path) -> None:
    endpoint = EndpointProcess(tmp_path / "data", PASSWORD, port=free_port())
    endpoint.start()
    try:
        record(system, 1_500)
        with forwarding(log, url_of(endpoint)) as forwarder:
            wait_until(lambda: forwarder.status.snapshot().position > 0)
            endpoint.kill()
            record(system, 500)
            wait_until(lambda: is_failing(forwarder, 3, "ClickHouse does not answer"))
            with log.connect() as connection:
                behind = lag(connection)
            assert behind.events >= 500
            assert behind.seconds > 0.1
            endpoint.start()
            wait_until(lambda: forwarded(log))
        with closing(connect(url_of(endpoint))) as client:
            assert_exactly_once(log, client)
    finally:
        endpoint.kill()


def test_a_database_that_breaks_the_connection_is_come_back_to(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    record(system, 1_500)
    with forwarding(log, url) as forwarder:
        wait_until(lambda: forwarder.status.snapshot().position > 0)
        log.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        wait_until(lambda: forwarder.status.snapshot().failures >= 1)
        wait_until(lambda: forwarder.status.snapshot().position == 1_500)
    assert_exactly_once(log, clickhouse)


def test_of_two_forwarders_one_waits_and_takes_over(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    record(system, 2_000)
    with forwarder_process(log, url) as first:
        wait_until(lambda: count(clickhouse) > 0)
        with forwarding(log, url, route()) as second:
            wait_until(lambda: second.status.snapshot().state == "waiting")
            record(system, 200)
            assert second.status.snapshot().rows == 0
            first.kill()
            wait_until(lambda: second.status.snapshot().position == 2_200)
    assert_exactly_once(log, clickhouse)


def test_a_stop_while_it_waits_or_fails_is_quick(log: Database, url: str) -> None:
    with log.connect() as connection:
        assert FollowerLock(connection, CONSUMER).take()
        with forwarding(log, url) as waiting:
            wait_until(lambda: waiting.status.snapshot().state == "waiting")
        assert waiting.status.snapshot().state == "stopped"
    with forwarding(log, "http://forwarder:x@127.0.0.1:9") as failing:
        wait_until(lambda: failing.status.snapshot().failures >= 2)
    assert failing.status.snapshot().state == "stopped"


def test_errors_are_typed_and_tell_no_password(url: str) -> None:
    with pytest.raises(Unavailable, match="ClickHouse does not answer") as nobody:
        connect("http://forwarder:hidden@127.0.0.1:9")
    assert "hidden" not in str(nobody.value)
    with pytest.raises(ClickHouseRefused, match="AUTHENTICATION_FAILED") as refused:
        connect(url.replace("forwarder%27s", "hidden").replace(PASSWORD, "hidden"))
    assert "hidden" not in str(refused.value)


def test_no_pandas_and_no_arrow_are_loaded(system: System, log: Database, url: str, clickhouse: Client) -> None:
    record(system, 10)
    script = FORWARDER + "print([name for name in ('pandas', 'pyarrow', 'polars', 'chdb') if name in sys.modules])"
    with subprocess.Popen(
        [sys.executable, "-c", script, log.url, url],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_until(lambda: forwarded(log))
            process.terminate()
            output, _ = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    assert output.splitlines()[-1] == "[]"
    assert_exactly_once(log, clickhouse)


def test_a_forwarder_of_an_earlier_version_is_waited_for(log: Database) -> None:
    with log.connect() as earlier, log.connect() as connection:
        earlier.execute("SELECT pg_advisory_lock(1181708919, hashtext('forwarder'))")
        assert not FollowerLock(connection, CONSUMER).take()
