"""Queries of the embedded ClickHouse have ids, can be killed, and tell how far they are."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import httpx
import pytest

from infra.clickhouse.process import EndpointProcess
from infra.clickhouse.readers_file import add_reader

from ..waiting import wait_until

PASSWORD = "writer's"
ANN = ("ann", "ann's password")
LONG = "SELECT sum(sipHash64(number)) FROM numbers(100000000000) SETTINGS max_threads = 1"
ENDLESS = f"{LONG}, max_execution_time = 600"
SAME_ID, CANCELLED, NOT_IMPLEMENTED = 216, 394, 48


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointProcess]:
    readers = tmp_path_factory.mktemp("data") / "readers.json"
    add_reader(readers, *ANN)
    with EndpointProcess(tmp_path_factory.mktemp("clickhouse"), PASSWORD, readers=readers) as running:
        yield running


@pytest.fixture(scope="module")
def url(endpoint: EndpointProcess) -> str:
    return f"http://127.0.0.1:{endpoint.port}/"


class Asked(threading.Thread):
    """An endless query that is being asked; `answer` when it has been joined."""

    def __init__(self, url: str, query_id: str, auth: tuple[str, str] | None = None) -> None:
        super().__init__(daemon=True)
        self._url, self._id, self._auth = url, query_id, auth
        self.answer: httpx.Response
        self.start()

    def run(self) -> None:
        self.answer = ask(self._url, ENDLESS, self._auth, query_id=self._id)

    def code(self) -> int:
        self.join(60)
        return code(self.answer)


def ask(url: str, query: str, auth: tuple[str, str] | None = None, **params: str) -> httpx.Response:
    return httpx.post(url, params=params, content=query, auth=auth, timeout=600)


def kill(url: str, query_id: str, auth: tuple[str, str] | None = None) -> str:
    return ask(url, f"KILL QUERY WHERE query_id = '{query_id}' SYNC", auth).text


def code(answer: httpx.Response) -> int:
    return int(answer.headers.get("X-ClickHouse-Exception-Code", 0))


def wait_for(url: str, running: int) -> None:
    """Until so many endless queries run."""
    query = "SELECT count() FROM system.processes WHERE query LIKE '%sip' || 'Hash64%'"
    wait_until(lambda: ask(url, query, ("forwarder", PASSWORD)).text == f"{running}\n")


class TestIds:
    def test_are_made_up_when_none_is_given(self, url: str) -> None:
        ids = {ask(url, "SELECT 1").headers["X-ClickHouse-Query-Id"] for _ in range(3)}
        assert {len(each) for each in ids} == {36}
        assert len(ids) == 3

    def test_are_unique_while_they_run(self, url: str) -> None:
        running = Asked(url, "same")
        wait_for(url, 1)
        refused = ask(url, "SELECT 1", query_id="same")
        assert (refused.status_code, code(refused)) == (500, SAME_ID)
        assert "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING" in refused.text
        assert ask(url, "SELECT 1", ANN, query_id="same").text == "1\n", "another user's ids are others"
        kill(url, "same")
        assert running.code() == CANCELLED
        assert ask(url, "SELECT 1", query_id="same").text == "1\n"

    def test_a_query_replaces_the_one_before(self, url: str) -> None:
        running = Asked(url, "replaced")
        wait_for(url, 1)
        assert ask(url, "SELECT 3", query_id="replaced", replace_running_query="1").text == "3\n"
        assert running.code() == CANCELLED


class TestKill:
    def test_tells_what_it_killed(self, url: str) -> None:
        running = Asked(url, "it's\\mine")
        wait_for(url, 1)
        text = "KILL QUERY WHERE query_id = {id:String} SYNC FORMAT JSONEachRow"
        answer = ask(url, text, param_id="it's\\mine")
        assert answer.json() == {"kill_status": "waiting", "query_id": "it's\\mine", "user": "default"}
        assert running.code() == CANCELLED
        assert kill(url, "mine") == ""

    def test_only_ones_own(self, url: str) -> None:
        running = Asked(url, "ann-1", ANN)
        wait_for(url, 1)
        assert kill(url, "ann-1") == ""
        assert running.is_alive()
        assert kill(url, "ann-1", ("forwarder", PASSWORD)) == "waiting\tann-1\tann\n", "the writer may kill any"
        assert running.code() == CANCELLED

    def test_also_while_all_turns_are_taken(self, url: str) -> None:
        running = [Asked(url, f"turn-{number}") for number in range(6)]
        wait_for(url, 6)
        running += [Asked(url, f"turn-{number}") for number in range(6, 9)]  # these wait
        for number in reversed(range(9)):
            wait_until(lambda number=number: kill(url, f"turn-{number}") == f"waiting\tturn-{number}\tdefault\n")
        assert [each.code() for each in running] == [CANCELLED] * 9

    @pytest.mark.parametrize(
        "condition",
        ["1", "query_id != 'x'", "query_id = 'x' OR 1", "user = 'ann'", "query_id = 'x' TEST", "query_id IN ('x')"],
    )
    def test_no_other_condition(self, url: str, condition: str) -> None:
        for auth in (None, ("forwarder", PASSWORD)):
            assert code(ask(url, f"KILL QUERY WHERE {condition}", auth)) == NOT_IMPLEMENTED

    def test_in_the_middle_of_an_answer(self, url: str) -> None:
        query = {"query": "SELECT number FROM numbers(100000000000)", "query_id": "streaming"}
        with httpx.stream("GET", url, params=query, headers={"Accept-Encoding": "identity"}) as answer:
            parts = answer.iter_raw()
            next(parts)
            assert kill(url, "streaming") == "waiting\tstreaming\tdefault\n"
            tail = b""
            with contextlib.suppress(httpx.RemoteProtocolError):
                for part in parts:
                    tail = (tail + part)[-2000:]
        assert b"__exception__" in tail
        assert b"Code: 394" in tail


class TestLimits:
    def test_time(self, url: str) -> None:
        answer = ask(url, LONG, max_execution_time="1")
        assert (answer.status_code, code(answer)) == (408, 159)
        assert answer.text.startswith("Code: 159. DB::Exception: Timeout exceeded")
        assert "(TIMEOUT_EXCEEDED)" in answer.text

    def test_memory(self, url: str) -> None:
        query = "SELECT groupArray(number) FROM numbers(100000000)"
        answer = ask(url, query, max_memory_usage="20000000")
        assert (answer.status_code, code(answer)) == (500, 241)
        assert "(MEMORY_LIMIT_EXCEEDED)" in answer.text

    def test_rows(self, url: str) -> None:
        assert code(ask(url, "SELECT number FROM numbers(100)", max_result_rows="10")) == 396
        some = {"max_result_rows": "10", "result_overflow_mode": "break", "max_block_size": "5"}
        cut = ask(url, "SELECT number FROM numbers(100)", None, **some)
        assert cut.text.count("\n") < 100


class TestProgress:
    def ask(
        self, endpoint: EndpointProcess, query: str, on_line: Callable[[bytes], object] = len, **params: str
    ) -> tuple[list[bytes], bytes]:
        """The lines of the head, and the body. `on_line` is called with each line of the head when it has come."""
        url = urlencode({"query": query, "send_progress_in_http_headers": "1", **params})
        with socket.create_connection(("127.0.0.1", endpoint.port), timeout=60) as connection:
            connection.sendall(f"GET /?{url} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            stream = connection.makefile("rb")
            lines = []
            while (line := stream.readline().rstrip()) or not lines:
                on_line(line)
                lines.append(line)
            length = next(int(line.split()[1]) for line in lines if line.startswith(b"Content-Length:"))
            body = stream.read(length)
            connection.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")  # the connection goes on
            assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
        return lines, body

    def test_comes_while_the_query_runs(self, endpoint: EndpointProcess, url: str) -> None:
        """One that never ends is killed when it has told how far it is; its end is in the headers still."""
        told: list[dict[str, str]] = []
        killed: list[str] = []

        def on_line(line: bytes) -> None:
            name, _, numbers = line.partition(b": ")
            if name == b"X-ClickHouse-Progress":
                told.append(json.loads(numbers))
                if len(told) >= 3 and told[-1]["read_rows"] != told[0]["read_rows"] and not killed:
                    killed.append(kill(url, "telling"))

        lines, body = self.ask(endpoint, ENDLESS, on_line, query_id="telling", http_headers_progress_interval_ms="10")
        assert lines[0] == b"HTTP/1.1 200 OK", "which has gone out before"
        rows = [int(numbers["read_rows"]) for numbers in told]
        assert len(rows) >= 3
        assert rows == sorted(rows)
        assert rows[-1] > rows[0]
        assert {numbers["total_rows_to_read"] for numbers in told if numbers["read_rows"] != "0"} == {"100000000000"}
        assert b"X-ClickHouse-Exception-Code: 394" in lines
        assert body.startswith(b"Code: 394. ")

    def test_the_answer_follows_it(self, endpoint: EndpointProcess) -> None:
        query = "SELECT count() FROM (SELECT sipHash64(number) AS h FROM numbers(20000000) WHERE h > 0)"
        lines, body = self.ask(endpoint, query, max_threads="1", http_headers_progress_interval_ms="10")
        assert [line for line in lines if b"X-ClickHouse-Progress" in line]
        assert body == b"20000000\n"

    def test_a_quick_query_has_none(self, endpoint: EndpointProcess) -> None:
        lines, body = self.ask(endpoint, "SELECT 1", http_headers_progress_interval_ms="60000")
        assert not [line for line in lines if b"Progress" in line]
        assert body == b"1\n"
        lines, _ = self.ask(endpoint, "SELECT * FROM nowhere", http_headers_progress_interval_ms="60000")
        assert lines[0] == b"HTTP/1.1 404 Not Found"

    def test_the_summary_of_what_was_read(self, endpoint: EndpointProcess) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=60)
        connection.request("GET", "/?query=SELECT+sum(number)+FROM+numbers(1000)&wait_end_of_query=1")
        answer = connection.getresponse()
        assert answer.read() == b"499500\n"
        summary = json.loads(answer.headers["X-ClickHouse-Summary"])
        assert (summary["read_rows"], summary["result_rows"]) == ("1000", "1")
        assert int(summary["elapsed_ns"]) > 0
        connection.close()
