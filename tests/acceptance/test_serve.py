"""The server as a whole: it starts, survives whatever is killed, and stops in order."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import httpx
import psutil
import psycopg
import pytest

from projections.registry import REGISTRY

from ..conftest import new_data_folder
from ..ports import free_port
from ..waiting import wait_until
from .conftest import Served, annals_environment, serving

Serve = Callable[..., Served]
T = TypeVar("T")


@pytest.fixture(scope="module")
def first_start(serve_shared: Serve) -> Served:
    return serve_shared("--port", str(free_port())).ready()


@pytest.fixture(scope="module")
def starts(serve_shared: Serve, first_start: Served) -> list[Served]:
    """Of servers on the folder that the tests here share, so far."""
    return [first_start]


@pytest.fixture
def restart(serve_shared: Serve, starts: list[Served]) -> Serve:
    """Starts another server on that folder, in the place of one that has ended. Nobody gets its port meanwhile."""

    def start(*options: str) -> Served:
        starts.append(serve_shared("--port", str(free_port()), *options).ready())
        return starts[-1]

    return start


@pytest.fixture
def server(starts: list[Served], restart: Serve) -> Served:
    """A running one, which the test may do anything to: if it ends, the next test gets another."""
    return starts[-1] if starts[-1].process.poll() is None else restart()


@dataclass(frozen=True)
class Asked:
    """A server for which somebody chose a password, ports and two API processes, both of which listen."""

    server: Served
    api: int
    clickhouse: int

    def http(self) -> httpx.Client:
        return httpx.Client(base_url=self.server.url, auth=("admin", "chosen by hand"), timeout=60)


@pytest.fixture(scope="module")
def as_asked() -> Iterator[Asked]:
    api, clickhouse = free_port(), free_port()
    with new_data_folder() as folder, serving(folder) as start:
        ports = ["--port", str(api), "--clickhouse-port", str(clickhouse)]
        server = start("--workers", "2", *ports, ANNALS_ADMIN_PASSWORD="chosen by hand").ready()
        wait_until(lambda: listens(server, "api-1") and listens(server, "api-2"))  # ready is who has one of them
        yield Asked(server, api, clickhouse)


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    found = seen(processes, lambda one: (one, one.is_running() and one.status() != psutil.STATUS_ZOMBIE))
    return [one for one, lives in found if lives]


def seen(processes: list[psutil.Process], look: Callable[[psutil.Process], T]) -> list[T]:
    """Of those that are still there: PostgreSQL's come and go."""
    found = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            found.append(look(process))
    return found


def without_postgres(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [one for one, name in seen(processes, lambda one: (one, one.name())) if name != "postgres"]


def create_task(http: httpx.Client, name: str) -> int:
    answer = http.post("/api/tasks", json={"name": name, "labels": [{"name": "cat"}]})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def listens(server: Served, name: str) -> bool:
    connections = psutil.Process(server.pid(name)).net_connections("tcp")
    return any(connection.status == psutil.CONN_LISTEN for connection in connections)


def answers(http: httpx.Client) -> bool:
    try:
        return http.get("/api/users/self").status_code == 200
    except httpx.HTTPError:
        return False


def test_a_first_start_makes_everything_and_says_where_it_is(first_start: Served) -> None:
    """The first test here: nobody has done anything to the server."""
    server = first_start
    password_file = server.data / "admin-password"
    password = password_file.read_text().strip()
    assert server.line == (
        f"Annals is ready: {server.url} · ClickHouse {server.info['clickhouse_url']} · data in {server.data}"
        f" · user admin, password in {password_file}\n"
    )
    assert stat.S_IMODE(server.data.stat().st_mode) == (0o701 if os.geteuid() == 0 else 0o700)
    assert {
        stat.S_IMODE((server.data / name).stat().st_mode) for name in ("admin-password", "clickhouse-password")
    } == {0o600}
    with server.http() as http:
        assert http.get("/api/users/self").json()["username"] == "admin"
        assert create_task(http, "first") == 1
    texts = [path.read_text() for path in (server.data / "logs").iterdir()]
    assert not any(password in text for text in [*texts, server.line, server.said()])
    arguments = [argument for line in seen(server.family(), lambda one: one.cmdline()) for argument in line]
    assert not any(password in argument or "PASSWORD" in argument for argument in arguments)
    assert server.said() == ""


def test_a_second_start_goes_on_where_the_first_stopped(server: Served, restart: Serve) -> None:
    with server.http() as http:
        task_id = create_task(http, "kept")
    family = server.family()
    assert server.stop() == 0
    assert alive(family) == []
    assert not (server.data / "run" / "server.json").exists()
    with restart().http() as http:
        assert http.get(f"/api/tasks/{task_id}").json()["name"] == "kept"


def test_the_password_can_be_given(as_asked: Asked) -> None:
    server = as_asked.server
    assert server.line.endswith(" · user admin, password as set at the first start\n")
    assert not (server.data / "admin-password").exists()
    with as_asked.http() as http:
        assert answers(http)
    environments = [process.environ() for process in without_postgres(server.family()[1:])]
    assert not any("ANNALS_ADMIN_PASSWORD" in environment for environment in environments)


def test_a_second_server_on_the_same_folder_is_refused(server: Served, serve_shared: Serve) -> None:
    second = serve_shared()
    assert second.process.wait(180) == 1
    folder, holder = server.data, server.process.pid
    assert second.said() == f"annals: {folder} is in use by another Annals server (process {holder})\n"
    with server.http() as http:
        assert answers(http)


def test_a_port_in_use_is_said(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for option in ("--port", "--clickhouse-port"):
            refused = serve(option, str(port))
            assert refused.process.wait(180) == 1
            assert refused.said() == (
                f"annals: Can't listen on 127.0.0.1 port {port}: Address already in use ({option} chooses another)\n"
            )


def test_connections_are_dealt_out_among_the_api_processes(as_asked: Asked) -> None:
    server = as_asked.server
    clients = [as_asked.http() for _ in range(64)]
    try:
        for client in clients:
            assert answers(client)
        port = server.info["port"]
        taken = [
            sum(one.laddr.port == port and one.status == psutil.CONN_ESTABLISHED for one in connections)
            for connections in (psutil.Process(server.pid(f"api-{n}")).net_connections() for n in (1, 2))
        ]
        assert sum(taken) == 64
        assert min(taken) > 8
    finally:
        for client in clients:
            client.close()


def test_several_api_processes_do_not_take_the_port_of_another_server(server: Served, serve: Serve) -> None:
    another = serve("--workers", "2", "--port", str(server.info["port"]))
    assert another.process.wait(180) == 1
    assert "Address already in use" in another.said()


def test_two_api_processes_share_the_port_and_one_alone_goes_on(as_asked: Asked) -> None:
    server = as_asked.server
    killed = server.pid("api-1")
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: not psutil.pid_exists(killed))  # until then it may still accept a connection, which dies with it
    with as_asked.http() as http:  # connections that the dead one had not accepted wait for a living one
        assert [answers(http) for _ in range(20)] == [True] * 20
    wait_until(lambda: server.pid("api-1") != killed)
    assert "api-1 has ended: killed by SIGKILL" in server.said()


def test_children_die_with_a_killed_server_and_the_next_takes_its_place(server: Served, restart: Serve) -> None:
    port, clickhouse_port = server.info["port"], server.info["clickhouse_port"]
    with server.http() as http:
        created = create_task(http, "acknowledged")
    children = without_postgres(server.family()[1:])
    assert len(alive(children)) == 4
    server.process.kill()
    server.process.wait()
    wait_until(lambda: not alive(children))
    assert (server.data / "run" / "server.json").exists()
    assert "not running" in server.annals("doctor").stdout
    again = restart("--port", str(port), "--clickhouse-port", str(clickhouse_port))
    with again.http() as http:
        assert http.get(f"/api/tasks/{created}").json()["name"] == "acknowledged"
    proof = again.verify()
    assert proof.returncode == 0, proof.stdout


def half_a_login(server: Served) -> tuple[socket.socket, bytes]:
    """A request of which the server has the beginning, and its rest."""
    password = (server.data / "admin-password").read_text().strip()
    body = f'{{"username": "admin", "password": "{password}"}}'.encode()
    lines = ["POST /api/auth/login HTTP/1.1", "Host: x", "Content-Type: application/json"]
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
    connection = socket.create_connection(("127.0.0.1", server.info["port"]), timeout=60)
    connection.sendall(head.encode() + body[:10])
    return connection, body[10:]


@pytest.fixture
def said(server: Served) -> Callable[[], str]:
    """What the server has written into its log since the test began: tests share the folder."""
    log = server.data / "logs" / "server.log"
    length = log.stat().st_size
    return lambda: log.read_bytes()[length:].decode()


def test_a_stop_finishes_the_requests_that_it_meets(server: Served, said: Callable[[], str]) -> None:
    connection, rest = half_a_login(server)
    with server.http() as http:
        assert answers(http)  # by now the half request, which came before, has been accepted
    api = psutil.Process(server.pid("api-1"))
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: "stopping" in said())
    connection.sendall(rest)
    assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert server.process.wait(180) == 0
    assert not api.is_running()
    assert server.said() == ""


def test_a_second_signal_hurries(server: Served, said: Callable[[], str]) -> None:
    connection, _ = half_a_login(server)
    with server.http() as http:
        assert answers(http)
    family = server.family()
    server.process.send_signal(signal.SIGINT)
    wait_until(lambda: "stopping" in said())  # the kernel makes one of two signals that nobody has taken yet
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(180) == 0
    assert "stopping at once: who still runs is killed" in said()
    assert "did not stop within" not in said()
    assert alive(family) == []
    connection.close()


def test_a_stop_in_the_middle_of_a_start_leaves_nothing_running(serve: Serve) -> None:
    server = serve()
    wait_until(lambda: (server.data / "postgres" / "control.lock").exists())
    family = server.family()
    assert server.stop() == 0
    assert alive(family) == []


def test_a_process_that_keeps_failing_is_reported_and_recovers(serve: Serve, data_folder: Path) -> None:
    data_folder.mkdir()
    obstacle = data_folder / "clickhouse"
    obstacle.write_text("in the way")
    server = serve()
    wait_until(lambda: "clickhouse keeps failing: exit status 1" in server.said())
    obstacle.unlink()
    assert server.ready().stop() == 0


def test_the_doctor_sees_the_processes_and_their_memory(server: Served) -> None:
    found = []

    def is_well() -> bool:
        found.append(server.annals("doctor"))
        return found[-1].returncode == 0

    wait_until(is_well)
    told = found[-1].stdout
    assert "heard" in told
    lines = {line.split()[1]: line for line in told.splitlines() if line.startswith("memory")}
    assert lines.keys() == {"server", "api-1", "agent", "forward", "clickhouse", "postgres", "sum"}


def test_an_api_process_can_be_run_by_hand(server: Served) -> None:
    """As in a distributed deployment: given a database by URL, wherever that is."""
    url = server.annals("database-url").stdout.strip()
    port = free_port()
    by_hand = subprocess.Popen(
        [sys.executable, "-P", "-m", "cli.main", "api", "--port", str(port), "--name", "by-hand"],
        env=annals_environment(server.data) | {"ANNALS_DATABASE_URL": url},
    )
    try:
        with server.http() as http:
            task_id = create_task(http, "everywhere")
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", auth=http.auth) as other:
                wait_until(lambda: answers(other))
                assert other.get(f"/api/tasks/{task_id}").json()["name"] == "everywhere"
        by_hand.terminate()
        assert by_hand.wait(180) == 0
    finally:
        by_hand.kill()
        by_hand.wait()


def test_a_database_that_does_not_answer_is_said(serve: Serve) -> None:
    server = serve(ANNALS_DATABASE_URL="postgresql://someone:topsecret@127.0.0.1:1/nowhere")
    assert server.process.wait(180) == 1
    assert server.said().startswith("annals: PostgreSQL does not answer: ")
    assert "topsecret" not in server.said()


def test_a_database_and_a_clickhouse_elsewhere_are_used(serve: Serve, data_folder: Path, database_url: str) -> None:
    port = free_port()
    elsewhere = data_folder.parent / "elsewhere"
    by_hand = subprocess.Popen(
        [sys.executable, "-P", "-m", "cli.main", "clickhouse", "--clickhouse-port", str(port)],
        env=annals_environment(elsewhere),
    )
    try:
        wait_until((elsewhere / "clickhouse-password").exists)
        password = (elsewhere / "clickhouse-password").read_text().strip()
        url = f"http://forwarder:{password}@127.0.0.1:{port}/cvat"
        settings = {"ANNALS_CLICKHOUSE_URL": url, "ANNALS_DATABASE_URL": database_url}
        server = serve(**settings).ready()
        assert server.info["clickhouse_url"] == f"http://127.0.0.1:{port}/cvat"
        assert "clickhouse" not in server.info["processes"]
        assert not (server.data / "postgres").exists()
        assert password not in server.line
        with server.http() as http:
            task_id = create_task(http, "elsewhere")
        with psycopg.connect(database_url) as connection:
            schema = REGISTRY["tasks"].schema
            row = connection.execute(f"SELECT name FROM {schema}.tasks WHERE id = %s", (task_id,)).fetchone()
        assert row == ("elsewhere",)
        proof = server.verify(**settings)
        assert proof.returncode == 0, proof.stdout
        assert "not forwarded yet" not in proof.stdout
        assert server.stop() == 0
    finally:
        by_hand.terminate()
        assert by_hand.wait(180) == 0


def test_ports_are_those_that_were_asked_for(as_asked: Asked) -> None:
    info = as_asked.server.info
    assert (info["port"], info["clickhouse_port"]) == (as_asked.api, as_asked.clickhouse)
    query = quote("SELECT currentDatabase()")
    assert httpx.get(f"http://127.0.0.1:{as_asked.clickhouse}/?query={query}").text == "cvat\n"


def test_deleted_rows_in_clickhouse_are_found(server: Served) -> None:
    """The last test of the shared server: its ClickHouse is damaged."""
    with server.http() as http:
        for name in ("first", "second"):
            create_task(http, name)
    assert server.verify().returncode == 0
    user = ("forwarder", (server.data / "clickhouse-password").read_text().strip())
    statement, waiting = "ALTER TABLE cvat.events DELETE WHERE position = 3", {"mutations_sync": 2}
    httpx.post(server.info["clickhouse_url"], content=statement, params=waiting, auth=user).raise_for_status()
    found = server.verify()
    assert found.returncode == 1
    assert "First difference: ClickHouse: position 3 is missing in ClickHouse" in found.stdout
    anybody = httpx.post(server.info["clickhouse_url"], content="TRUNCATE TABLE cvat.events")
    assert anybody.status_code == 403
