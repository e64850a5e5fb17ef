"""Readers of the embedded ClickHouse with passwords of their own, and those without."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher

from domain.errors import Conflict, Invalid, NotFound
from infra.clickhouse.errors import QueryFailed
from infra.clickhouse.process import EndpointProcess
from infra.clickhouse.readers_file import Readers, add_reader, reader_names, remove_reader
from infra.clickhouse.users import Credentials, Role, Users
from infra.passwords import Argon2Passwords

from ..waiting import wait_until

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
    return httpx.post(url, content=query, auth=auth, timeout=60)


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


@pytest.mark.parametrize("name", ["ann", "zoe"])
def test_a_name_without_entry_costs_a_hash_too(readers: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """So that nobody learns from how long it takes which names there are."""
    hashed: list[str] = []
    verify = Argon2Passwords.verify

    def noted(self: Argon2Passwords, password_hash: str, password: str) -> bool:
        hashed.append(password_hash.rpartition("$")[0].rpartition("$")[0])  # the costs
        return verify(self, password_hash, password)

    monkeypatch.setattr(Argon2Passwords, "verify", noted)
    with pytest.raises(QueryFailed):
        asyncio.run(Users(PASSWORD, Readers(readers), anonymous=False).enter(Credentials(name, "wrong one"), "::1"))
    costs = Argon2Passwords().hash("any").rpartition("$")[0].rpartition("$")[0]
    assert hashed == [costs]


def test_guesses_are_bounded(open_url: str) -> None:
    guesses = [ask(open_url, ("ann", f"guess {number}")) for number in range(14)]
    assert {code(answer) for answer in guesses} == {WRONG}
    assert ["too many wrong passwords" in answer.text for answer in guesses] == [False] * 10 + [True] * 4
    assert code(ask(open_url, ANN)) == WRONG, "not even the right one, for a while"
    assert ask(open_url, None).text == "1\n"


def test_guesses_under_many_names_are_bounded(readers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With hashes that cost little: fifty of the others may take longer than the minute for which guesses count."""
    cheap = Argon2Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    monkeypatch.setattr("infra.clickhouse.users.Argon2Passwords", lambda: cheap)
    users = Users(PASSWORD, Readers(readers), anonymous=False)

    def refusal(name: str, password: str) -> str:
        with pytest.raises(QueryFailed) as refused:
            asyncio.run(users.enter(Credentials(name, password), "::1"))
        return str(refused.value)

    told = [refusal(f"name-{number}", "guess") for number in range(52)]
    assert ["too many wrong passwords" in text for text in told] == [False] * 50 + [True] * 2
    assert "too many wrong passwords" in refusal(*ANN)
    assert asyncio.run(users.enter(Credentials("forwarder", PASSWORD), "::1")).role is Role.WRITER
    assert asyncio.run(users.enter(Credentials(*ANN), "192.0.2.1")).name == "ann", "from elsewhere"


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
    slow = "SELECT sum(sipHash64(number)) FROM numbers(100000000000) SETTINGS max_threads = 1, max_execution_time = 600"
    writer = ("forwarder", PASSWORD)
    codes: list[int] = []

    def run(number: int) -> None:
        params = {"query_id": f"slow-{number}"}
        codes.append(code(httpx.post(open_url, params=params, content=slow, auth=ANN, timeout=600)))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    running = "SELECT count() FROM system.processes WHERE query LIKE '%sip' || 'Hash%'"
    wait_until(lambda: ask(open_url, writer, running).text == "6\n")
    assert httpx.get(open_url, params={"query": "SELECT 1"}).text == "1\n"
    for number in range(10):
        kill = f"KILL QUERY WHERE query_id = 'slow-{number}' SYNC"
        wait_until(lambda kill=kill: ask(open_url, writer, kill).text.endswith("ann\n"))  # type: ignore[misc]
    for thread in threads:
        thread.join()
    assert codes == [394] * 10
