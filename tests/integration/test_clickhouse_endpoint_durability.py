"""The embedded ClickHouse is killed, stopped and started again; what it acknowledged is there."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import clickhouse_connect
import httpx
import pytest
from clickhouse_connect.driver.client import Client

from domain.errors import Unavailable
from infra.clickhouse.limits import Limits
from infra.clickhouse.process import EndpointProcess

from ..ports import free_port
from ..waiting import wait_until

PASSWORD = "writer's"
ROWS = 500
DETACHED = "SELECT count() FROM system.detached_parts"


def writer_of(endpoint: EndpointProcess) -> Client:
    return clickhouse_connect.get_client(
        host="127.0.0.1",
        port=endpoint.port,
        username="forwarder",
        password=PASSWORD,
        dedicated_pool=True,
        query_retries=0,
    )


def write(endpoint: EndpointProcess, query: str) -> httpx.Response:
    url = f"http://127.0.0.1:{endpoint.port}/"
    return httpx.post(url, content=query, auth=("forwarder", PASSWORD), timeout=60)


def read(endpoint: EndpointProcess, query: str) -> str:
    return httpx.get(f"http://127.0.0.1:{endpoint.port}/", params={"query": query}, timeout=60).text


def endpoint_in(folder: Path) -> EndpointProcess:
    """One that nobody takes the port away from while it is down."""
    return EndpointProcess(folder, PASSWORD, port=free_port())


class Inserter(threading.Thread):
    """Inserts batch after batch until it cannot; knows which were acknowledged."""

    def __init__(self, endpoint: EndpointProcess, first: int) -> None:
        super().__init__()
        self._client = writer_of(endpoint)
        self._first = first
        self.acknowledged: list[int] = []

    def run(self) -> None:
        for batch in range(self._first, self._first + 100_000):
            rows = [[batch, number] for number in range(ROWS)]
            try:
                self._client.insert("batches", rows, ["batch", "number"], column_type_names=["UInt32", "UInt32"])
            except Exception:
                return
            self.acknowledged.append(batch)


def test_kill_9_in_the_middle_of_inserts_loses_nothing(tmp_path: Path) -> None:
    endpoint = endpoint_in(tmp_path)
    endpoint.start()
    acknowledged: set[int] = set()
    try:
        assert write(endpoint, "CREATE TABLE batches (batch UInt32, number UInt32) ORDER BY (batch, number)").is_success
        for attempt in range(3):
            inserters = [Inserter(endpoint, (10 * attempt + lane) * 100_000) for lane in range(3)]
            for inserter in inserters:
                inserter.start()
            wait_until(lambda inserters=inserters: all(len(each.acknowledged) > 10 for each in inserters))  # type: ignore[misc]
            endpoint.kill()
            for inserter in inserters:
                inserter.join()
                acknowledged.update(inserter.acknowledged)
            endpoint.start()
            kept = read(endpoint, "SELECT batch, count(), uniqExact(number) FROM batches GROUP BY batch")
            counts = {int(batch): (int(rows), int(unique)) for batch, rows, unique in map(str.split, kept.splitlines())}
            assert acknowledged <= counts.keys()
            assert set(counts.values()) == {(ROWS, ROWS)}, "an insert is there whole or not at all"
    finally:
        endpoint.stop()


def test_stop_and_start_keeps_everything(tmp_path: Path) -> None:
    with endpoint_in(tmp_path) as endpoint:
        assert write(endpoint, "CREATE TABLE kept (a UInt64) ORDER BY a").is_success
        assert write(endpoint, "INSERT INTO kept SELECT number FROM numbers(1000)").is_success
        assert endpoint.stop() == 0
        endpoint.start()
        assert read(endpoint, "SELECT count(), sum(a) FROM kept") == "1000\t499500\n"


def test_sigterm_lets_a_running_query_finish(tmp_path: Path) -> None:
    with endpoint_in(tmp_path) as endpoint:
        answers: list[str] = []
        slow = "SELECT max(sleepEachRow(0.1)), 'finished' FROM numbers(50) SETTINGS max_block_size = 1"
        thread = threading.Thread(target=lambda: answers.append(read(endpoint, slow)))
        thread.start()
        running = "SELECT count() FROM system.processes WHERE query LIKE '%finis' || 'hed%'"
        wait_until(lambda: answers or write(endpoint, running).text == "1\n")
        os.kill(endpoint.pid, signal.SIGTERM)
        wait_until(lambda: not listens(endpoint))
        assert endpoint.stop() == 0
        thread.join()
        assert answers == ["0\tfinished\n"]


def test_sigterm_ends_an_endless_query(tmp_path: Path) -> None:
    with endpoint_in(tmp_path) as endpoint:
        url = f"http://127.0.0.1:{endpoint.port}/"
        with httpx.stream("GET", url, params={"query": "SELECT number FROM numbers(100000000000)"}) as answer:
            part = answer.iter_raw()
            next(part)  # a client that stays, and reads no further
            assert endpoint.stop(patience=Limits().shutdown + 20) == 0


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits another process")
def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """No file may grow as large as the insert needs: for the engine as if the disk were full (EFBIG for ENOSPC)."""
    with endpoint_in(tmp_path) as endpoint:
        window = "SETTINGS non_replicated_deduplication_window = 100"
        assert write(endpoint, f"CREATE TABLE kept (a UInt64, s String) ORDER BY a {window}").is_success
        view = "CREATE MATERIALIZED VIEW seen ENGINE = MergeTree ORDER BY a AS SELECT * FROM kept"
        assert write(endpoint, view).is_success
        assert write(endpoint, "INSERT INTO kept VALUES (1, 'x')").is_success
        large = "INSERT INTO kept SETTINGS insert_deduplication_token = 't'"
        large += " SELECT number, randomString(1000) FROM numbers(20000)"
        resource.prlimit(endpoint.pid, resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
        refused = write(endpoint, large)
        assert refused.status_code == 500
        assert refused.headers["X-ClickHouse-Exception-Code"] == "243"
        assert "(NOT_ENOUGH_SPACE)" in refused.text
        assert read(endpoint, "SELECT count() FROM kept") == "1\n", "it is there whole or not at all"
        refused = write(endpoint, "INSERT INTO kept VALUES " + "(2, 'y')," * 200_000)
        assert (refused.status_code, refused.headers["X-ClickHouse-Exception-Code"]) == (500, "243")
        resource.prlimit(endpoint.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert write(endpoint, large).is_success, "the same token is no obstacle"
        whole = "SELECT count(), sum(length(s)), sum(cityHash64(s)) > 0 FROM "
        assert read(endpoint, whole + "kept") == read(endpoint, whole + "seen") == "20001\t20000001\t1\n"
        assert write(endpoint, DETACHED).text == "0\n", "what was refused takes no place"


def test_rows_of_a_table_with_a_ttl_are_there_until_they_expire(tmp_path: Path) -> None:
    endpoint = endpoint_in(tmp_path)
    endpoint.start()
    try:
        window = "SETTINGS non_replicated_deduplication_window = 100"
        table = "CREATE TABLE kept (at DateTime, a UInt64) PARTITION BY toYYYYMM(at) ORDER BY a TTL at + INTERVAL 1 DAY"
        assert write(endpoint, f"{table} {window}").is_success
        insert = "INSERT INTO kept SETTINGS insert_deduplication_token = 't'"
        insert += " SELECT '2100-01-01 00:00:00', number FROM numbers(1000)"
        assert write(endpoint, insert).is_success
        assert write(endpoint, "INSERT INTO kept VALUES ('2020-01-01 00:00:00', 1)").is_success
        endpoint.kill()
        endpoint.start()
        assert write(endpoint, insert).is_success, "the same token adds nothing"
        assert write(endpoint, "INSERT INTO kept VALUES ('2100-01-01 00:00:00', 1000)").is_success
        assert write(endpoint, "OPTIMIZE TABLE kept FINAL").is_success
        assert read(endpoint, "SELECT count(), min(at) > '2021-01-01' FROM kept") == "1001\t1\n"
        assert write(endpoint, DETACHED).text == "0\n"
    finally:
        endpoint.kill()


def test_a_part_that_was_cut_off_as_the_process_died_is_set_aside_and_removed(tmp_path: Path) -> None:
    endpoint = endpoint_in(tmp_path)
    endpoint.start()
    try:
        unmerged = "SETTINGS max_bytes_to_merge_at_max_space_in_pool = 1"
        assert write(endpoint, f"CREATE TABLE kept (a UInt64) ORDER BY a {unmerged}").is_success
        for first in (0, 1000):
            assert write(endpoint, f"INSERT INTO kept SELECT {first} + number FROM numbers(1000)").is_success
        parts = "SELECT path FROM system.parts WHERE table = 'kept' AND active ORDER BY name"
        last = Path(write(endpoint, parts).text.splitlines()[-1])
        endpoint.kill()
        with (last / "data.bin").open("r+b") as file:
            file.truncate(10)
        endpoint.start()
        assert read(endpoint, "SELECT count(), max(a) FROM kept") == "1000\t999\n"
        assert write(endpoint, DETACHED).text == "0\n"
        assert list(last.parent.glob("detached/*")) == []
    finally:
        endpoint.kill()


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.clickhouse", "--data", str(tmp_path), "--port", "0"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"secret\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"ready 127.0.0.1 ")
        process.stdin.close()
        assert process.wait(60) == 0


def test_a_folder_or_port_in_use_is_said_so(tmp_path: Path) -> None:
    with EndpointProcess(tmp_path / "one", PASSWORD) as endpoint:
        with pytest.raises(Unavailable, match=r"Another process is using the ClickHouse data in .*one"):
            EndpointProcess(tmp_path / "one", PASSWORD).start()
        with pytest.raises(Unavailable, match=rf"listen on 127\.0\.0\.1:{endpoint.port}: Address already in use"):
            EndpointProcess(tmp_path / "two", PASSWORD, port=endpoint.port).start()
        assert read(endpoint, "SELECT 1") == "1\n"


def test_stale_files_do_not_prevent_the_start(tmp_path: Path) -> None:
    with endpoint_in(tmp_path) as endpoint:
        assert write(endpoint, "CREATE TABLE kept (a UInt64) ORDER BY a").is_success
        endpoint.kill()
        assert (tmp_path / "engine" / "status").exists()
        (tmp_path / "engine" / "status").write_text("PID: 1\nStarted at: 2020-01-01 00:00:00\nRevision: 1\n")
        (tmp_path / "configuration" / "users.xml").write_text("<half")
        endpoint.start()
        assert read(endpoint, "EXISTS kept") == "1\n"


def listens(endpoint: EndpointProcess) -> bool:
    try:
        socket.create_connection(("127.0.0.1", endpoint.port), timeout=60).close()
    except OSError:
        return False
    return True
