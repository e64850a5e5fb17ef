"""Readers of the embedded ClickHouse with passwords of their own, and those without."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from domain.errors import Conflict, Invalid, NotFound
from infra.clickhouse.process import EndpointProcess
from infra.clickhouse.readers_file import add_reader, reader_names, remove_reader

PASSWORD = "writer's"
ANN = ("ann", "ann's password")
WRONG, READONLY = 516, 164


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "clickhouse-readers.json"
    add_reader(path, *ANN)
    return path


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, readers: Path) -> Iterator[str]:
    """An endpoint that lets nobody in without a password."""
    with EndpointProcess(tmp_path_factory.mktemp("clickhouse"), PASSWORD, readers=readers, anonymous=False) as endpoint:
        yield f"http://127.0.0.1:{endpoint.port}/"


@pytest.fixture
def open_url(tmp_path: Path, readers: Path) -> Iterator[str]:
    """One that lets anybody in."""
    with EndpointProcess(tmp_path, PASSWORD, readers=readers) as endpoint:
        yield f"http://127.0.0.1:{endpoint.port}/"


def ask(url: str, auth: tuple[str, str] | None, query: str = "SELECT 1") -> httpx.Response:
    return httpx.post(url, content=query, auth=auth, timeout=30)


def code(answer: httpx.Response) -> int:
    return int(answer.headers.get("X-ClickHouse-Exception-Code", 0))


def test_readers_read_and_no_more(url: str) -> None:
    assert ask(url, ANN).text == "1\n"
    assert httpx.get(url, params={"query": "SELECT 1", "user": ANN[0], "password": ANN[1]}).text == "1\n"
    keys = {"X-ClickHouse-User": ANN[0], "X-ClickHouse-Key": ANN[1]}
    assert httpx.post(url, content="SELECT 1", headers=keys).text == "1\n"
    assert code(ask(url, ANN, "CREATE TABLE x (a UInt8) ORDER BY a")) == READONLY
    assert ask(url, ("forwarder", PASSWORD)).text == "1\n"


def test_nobody_else_comes_in(url: str) -> None:
    for auth in (None, ("", ""), ("default", ""), ("ann", ""), ("ann", ANN[1] + " "), ("Ann", ANN[1]), ("bob", "b")):
        answer = ask(url, auth)
        assert (answer.status_code, code(answer)) == (403, WRONG)
        assert "WWW-Authenticate" in answer.headers
        assert ANN[1] not in answer.text
    assert httpx.get(url + "ping").text == "Ok.\n", "who asks whether it is there need not say who they are"


def test_a_name_without_entry_takes_as_long(url: str) -> None:
    def seconds(name: str) -> float:
        started = time.perf_counter()
        assert code(ask(url, (name, "wrong password"))) == WRONG
        return time.perf_counter() - started

    known, unknown = (min(seconds(f"{name}") for _ in range(3)) for name in ("ann", "zoe"))
    assert 0.3 < known / unknown < 3
    assert ask(url, ANN).text == "1\n"


def test_guesses_are_bounded(open_url: str) -> None:
    guesses = [ask(open_url, ("ann", f"guess {number}")) for number in range(14)]
    assert {code(answer) for answer in guesses} == {WRONG}
    assert ["too many wrong passwords" in answer.text for answer in guesses] == [False] * 10 + [True] * 4
    assert code(ask(open_url, ANN)) == WRONG, "not even the right one, for a while"
    assert ask(open_url, None).text == "1\n"


def test_guesses_under_many_names_are_bounded(tmp_path: Path, readers: Path) -> None:
    with EndpointProcess(tmp_path, PASSWORD, readers=readers, anonymous=False) as endpoint:
        url = f"http://127.0.0.1:{endpoint.port}/"
        refused = [ask(url, (f"name-{number}", "guess")).text for number in range(52)]
        assert ["too many wrong passwords" in text for text in refused] == [False] * 50 + [True] * 2
        assert code(ask(url, ANN)) == WRONG
        assert ask(url, ("forwarder", PASSWORD)).text == "1\n"


def test_while_anybody_reads_names_in_the_file_still_need_their_password(open_url: str) -> None:
    assert ask(open_url, ("bob", "whatever")).text == "1\n"
    assert code(ask(open_url, ("ann", ""))) == WRONG
    assert ask(open_url, ANN).text == "1\n"


def test_changes_are_seen_at_once(url: str, readers: Path) -> None:
    add_reader(readers, "grafana", "another password")
    assert ask(url, ("grafana", "another password")).text == "1\n"
    kept = readers.read_bytes()
    readers.write_bytes(b"{half")
    assert ask(url, ("grafana", "another password")).text == "1\n", "a broken file locks nobody out"
    readers.write_bytes(kept)
    remove_reader(readers, "grafana")
    assert code(ask(url, ("grafana", "another password"))) == WRONG


def test_the_file(tmp_path: Path) -> None:
    path = tmp_path / "readers.json"
    assert reader_names(path) == []
    add_reader(path, "zoe", "long enough")
    add_reader(path, "ann@lab-1", "long enough")
    assert reader_names(path) == ["ann@lab-1", "zoe"]
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert "long enough" not in path.read_text()
    for name in ("zoe", "forwarder"):
        with pytest.raises(Conflict):
            add_reader(path, name, "long enough")
    for name, password in (("", "long enough"), ("a b", "long enough"), ("bob", "short")):
        with pytest.raises(Invalid):
            add_reader(path, name, password)
    with pytest.raises(NotFound):
        remove_reader(path, "bob")
    path.write_text("[]")
    with pytest.raises(Invalid):
        reader_names(path)


def test_one_reader_leaves_room_for_others(open_url: str) -> None:
    """Ann has all her turns taken and more waiting; an unnamed reader is answered meanwhile."""
    slow = "SELECT sum(sipHash64(number)) FROM numbers(100000000000) SETTINGS max_threads = 1"
    writer = ("forwarder", PASSWORD)
    codes: list[int] = []

    def run(number: int) -> None:
        params = {"query_id": f"slow-{number}"}
        codes.append(code(httpx.post(open_url, params=params, content=slow, auth=ANN, timeout=60)))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    running = "SELECT count() FROM system.processes WHERE query LIKE '%sip' || 'Hash%'"
    deadline = time.monotonic() + 20
    while ask(open_url, writer, running).text != "6\n":
        assert time.monotonic() < deadline
    assert httpx.get(open_url, params={"query": "SELECT 1"}, timeout=10).text == "1\n"
    for number in range(10):
        assert ask(open_url, writer, f"KILL QUERY WHERE query_id = 'slow-{number}' SYNC").text.endswith("ann\n")
    for thread in threads:
        thread.join()
    assert codes == [394] * 10
