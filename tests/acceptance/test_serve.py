"""The server as a whole: it starts, survives whatever is killed, and stops in order."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import psutil
import psycopg
import pytest

from projections.registry import REGISTRY

from ..conftest import new_data_folder
from ..waiting import wait_until
from .conftest import Served, annals_environment, serving

Serve = Callable[..., Served]


@pytest.fixture(scope="module")
def first_start(serve_shared: Serve) -> Served:
    return serve_shared().ready()


@pytest.fixture(scope="module")
def starts(serve_shared: Serve, first_start: Served) -> list[Served]:
    """Of servers on the folder that the tests here share, so far."""
    return [first_start]


@pytest.fixture
def restart(serve_shared: Serve, starts: list[Served]) -> Serve:
    """Starts another server on that folder, in the place of one that has ended."""

    def start(*options: str) -> Served:
        starts.append(serve_shared(*options).ready())
        return starts[-1]

    return start


@pytest.fixture
def server(starts: list[Served], restart: Serve) -> Served:
    """A running one, which the test may do anything to: if it ends, the next test gets another."""
    return starts[-1] if starts[-1].process.poll() is None else restart()


@pytest.fixture(scope="module")
def two_workers() -> Iterator[Served]:
    """Two API processes, both of which listen."""
    with new_data_folder() as folder, serving(folder) as start:
        server = start("--workers", "2").ready()
        wait_until(lambda: listens(server, "api-1") and listens(server, "api-2"))  # ready is who has one of them
        yield server


@pytest.fixture(scope="module")
def as_asked() -> Iterator[tuple[Served, int, int]]:
    """With a password and ports that somebody chose: the server, the port of its API and that of its ClickHouse."""
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        api, clickhouse = first.getsockname()[1], second.getsockname()[1]
    with new_data_folder() as folder, serving(folder) as start:
        ports = ["--port", str(api), "--clickhouse-port", str(clickhouse)]
        yield start(*ports, ANNALS_ADMIN_PASSWORD="chosen by hand").ready(), api, clickhouse


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


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
    assert not any(
        password in argument or "PASSWORD" in argument for process in server.family() for argument in process.cmdline()
    )
    assert server.said() == ""


def test_a_second_start_goes_on_where_the_first_stopped(server: Served, restart: Serve) -> None:
    with server.http() as http:
        task_id = create_task(http, "kept")
    family = server.family()
    assert server.stop() == 0
    assert alive(family) == []
    assert not (server.data / "run" / "server.json").exists()
    again = restart()
    with again.http() as http:
        assert http.get(f"/api/tasks/{task_id}").json()["name"] == "kept"
    assert again.annals("verify").returncode == 0


def test_the_password_can_be_given(as_asked: tuple[Served, int, int]) -> None:
    server, _, _ = as_asked
    assert server.line.endswith(" · user admin, password as set at the first start\n")
    assert not (server.data / "admin-password").exists()
    assert httpx.get(f"{server.url}/api/users/self", auth=("admin", "chosen by hand")).status_code == 200
    environments = [process.environ() for process in server.family()[1:] if process.name() != "postgres"]
    assert not any("ANNALS_ADMIN_PASSWORD" in environment for environment in environments)


def test_a_second_server_on_the_same_folder_is_refused(server: Served, serve_shared: Serve) -> None:
    second = serve_shared()
    assert second.process.wait(20) == 1
    folder, holder = server.data, server.process.pid
    assert second.said() == f"annals: {folder} is in use by another Annals server (process {holder})\n"
    with server.http() as http:
        assert answers(http)


def test_a_port_in_use_is_said(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for option in ("--port", "--clickhouse-port"):
            refused = serve(option, str(port))
            assert refused.process.wait(20) == 1
            assert refused.said() == (
                f"annals: Can't listen on 127.0.0.1 port {port}: Address already in use ({option} chooses another)\n"
            )


def test_connections_are_dealt_out_among_the_api_processes(two_workers: Served) -> None:
    server = two_workers
    clients = [server.http() for _ in range(32)]
    try:
        for client in clients:
            assert answers(client)
        port = server.info["port"]
        taken = [
            sum(one.laddr.port == port and one.status == psutil.CONN_ESTABLISHED for one in connections)
            for connections in (psutil.Process(server.pid(f"api-{n}")).net_connections() for n in (1, 2))
        ]
        assert sum(taken) == 32
        assert min(taken) > 4
    finally:
        for client in clients:
            client.close()


def test_several_api_processes_do_not_take_the_port_of_another_server(server: Served, serve: Serve) -> None:
    another = serve("--workers", "2", "--port", str(server.info["port"]))
    assert another.process.wait(30) == 1
    assert "Address already in use" in another.said()


def test_two_api_processes_share_the_port_and_one_alone_goes_on(two_workers: Served) -> None:
    """The last test of these two: one of them is another afterwards."""
    server = two_workers
    killed = server.pid("api-1")
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: not psutil.pid_exists(killed))  # until then it may still accept a connection, which dies with it
    with server.http() as http:  # connections that the dead one had not accepted wait for a living one
        assert [answers(http) for _ in range(20)] == [True] * 20
    wait_until(lambda: server.pid("api-1") != killed)
    assert "api-1 has ended: killed by SIGKILL" in server.said()


@pytest.mark.parametrize("name", ["api-1", "agent", "forward", "clickhouse"])
def test_a_killed_process_is_replaced(server: Served, name: str) -> None:
    others = set(server.info["processes"].items())
    killed = server.pid(name)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: server.pid(name) != killed)
    assert {one for one in others if one[0] != name} < set(server.info["processes"].items())
    with server.http() as http:
        wait_until(lambda: answers(http))
        create_task(http, "after")
    proof = server.annals("verify")
    assert proof.returncode == 0, proof.stdout


def has_new_postmaster(server: Served, killed: int) -> bool:
    try:
        return server.postmaster() != killed
    except (OSError, IndexError):  # it has just begun
        return False


def test_a_killed_postgres_is_replaced_and_nothing_acknowledged_is_lost(server: Served) -> None:
    with server.http() as http:
        created = [create_task(http, f"task {number}") for number in range(20)]
        killed = server.postmaster()
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: has_new_postmaster(server, killed))
        wait_until(lambda: http.post("/api/tasks", json={"name": "after", "labels": []}).status_code == 201)
        found = http.get("/api/tasks", params={"page_size": 100}).json()["results"]
        assert {task["id"] for task in found} > set(created)
    assert "PostgreSQL has died and is started again" in server.said()
    proof = server.annals("verify")
    assert proof.returncode == 0, proof.stdout


def test_children_die_with_a_killed_server_and_the_next_takes_its_place(server: Served, restart: Serve) -> None:
    port, clickhouse_port = server.info["port"], server.info["clickhouse_port"]
    with server.http() as http:
        created = create_task(http, "acknowledged")
    children = [process for process in server.family()[1:] if process.name() != "postgres"]
    assert len(alive(children)) == 4
    server.process.kill()
    server.process.wait()
    wait_until(lambda: not alive(children), 5)
    assert (server.data / "run" / "server.json").exists()
    assert "not running" in server.annals("doctor").stdout
    again = restart("--port", str(port), "--clickhouse-port", str(clickhouse_port))
    with again.http() as http:
        assert http.get(f"/api/tasks/{created}").json()["name"] == "acknowledged"
    proof = again.annals("verify")
    assert proof.returncode == 0, proof.stdout


def test_everything_killed_at_once_in_the_middle_of_work(server: Served, restart: Serve) -> None:
    created: list[int] = []
    deadline = time.monotonic() + 1.0
    with server.http() as http:
        while time.monotonic() < deadline or len(created) <= 10:
            created.append(create_task(http, f"task {len(created)}"))
        server.kill()
    again = restart()
    with again.http() as http:
        found = http.get("/api/tasks", params={"page_size": 1000}).json()
        assert {task["id"] for task in found["results"]} >= set(created[-500:])
        assert found["count"] >= len(created) > 10
    proof = again.annals("verify")
    assert proof.returncode == 0, proof.stdout


def half_a_login(server: Served) -> tuple[socket.socket, bytes]:
    """A request of which the server has the beginning, and its rest."""
    password = (server.data / "admin-password").read_text().strip()
    body = f'{{"username": "admin", "password": "{password}"}}'.encode()
    lines = ["POST /api/auth/login HTTP/1.1", "Host: x", "Content-Type: application/json"]
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
    connection = socket.create_connection(("127.0.0.1", server.info["port"]), timeout=20)
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
    assert server.process.wait(20) == 0
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
    assert server.process.wait(60) == 0
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
    wait_until(lambda: "heard" in server.annals("doctor").stdout)
    healthy = server.annals("doctor")
    assert healthy.returncode == 0, healthy.stdout
    lines = {line.split()[1]: line for line in healthy.stdout.splitlines() if line.startswith("memory")}
    assert lines.keys() == {"server", "api-1", "agent", "forward", "clickhouse", "postgres", "sum"}


def test_an_api_process_can_be_run_by_hand(server: Served) -> None:
    """As in a distributed deployment: given a database by URL, wherever that is."""
    url = server.annals("database-url").stdout.strip()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
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
        assert by_hand.wait(20) == 0
    finally:
        by_hand.kill()
        by_hand.wait()


def test_a_database_elsewhere_is_used(serve: Serve, database_url: str) -> None:
    server = serve(ANNALS_DATABASE_URL=database_url).ready()
    assert not (server.data / "postgres").exists()
    with server.http() as http:
        task_id = create_task(http, "elsewhere")
    with psycopg.connect(database_url) as connection:
        schema = REGISTRY["tasks"].schema
        row = connection.execute(f"SELECT name FROM {schema}.tasks WHERE id = %s", (task_id,)).fetchone()
    assert row == ("elsewhere",)
    assert server.stop() == 0


def test_a_database_that_does_not_answer_is_said(serve: Serve) -> None:
    server = serve(ANNALS_DATABASE_URL="postgresql://someone:topsecret@127.0.0.1:1/nowhere")
    assert server.process.wait(30) == 1
    assert server.said().startswith("annals: PostgreSQL does not answer: ")
    assert "topsecret" not in server.said()


def test_a_clickhouse_elsewhere_is_used(serve: Serve, data_folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    elsewhere = data_folder.parent / "elsewhere"
    by_hand = subprocess.Popen(
        [sys.executable, "-P", "-m", "cli.main", "clickhouse", "--clickhouse-port", str(port)],
        env=annals_environment(elsewhere),
    )
    try:
        wait_until((elsewhere / "clickhouse-password").exists)
        password = (elsewhere / "clickhouse-password").read_text().strip()
        url = f"http://forwarder:{password}@127.0.0.1:{port}/cvat"
        server = serve(ANNALS_CLICKHOUSE_URL=url).ready()
        assert server.info["clickhouse_url"] == f"http://127.0.0.1:{port}/cvat"
        assert "clickhouse" not in server.info["processes"]
        assert password not in server.line
        proof = server.annals("verify", ANNALS_CLICKHOUSE_URL=url)
        assert proof.returncode == 0, proof.stdout
        assert "not forwarded yet" not in proof.stdout
    finally:
        by_hand.terminate()
        assert by_hand.wait(20) == 0


def test_ports_are_those_that_were_asked_for(as_asked: tuple[Served, int, int]) -> None:
    server, api, clickhouse = as_asked
    assert (server.info["port"], server.info["clickhouse_port"]) == (api, clickhouse)
    query = quote("SELECT currentDatabase()")
    assert httpx.get(f"http://127.0.0.1:{clickhouse}/?query={query}").text == "cvat\n"


def test_deleted_rows_in_clickhouse_are_found(server: Served) -> None:
    """The last test of the shared server: its ClickHouse is damaged."""
    with server.http() as http:
        for name in ("first", "second"):
            create_task(http, name)
    assert server.annals("verify").returncode == 0
    user = ("forwarder", (server.data / "clickhouse-password").read_text().strip())
    statement, waiting = "ALTER TABLE cvat.events DELETE WHERE position = 3", {"mutations_sync": 2}
    httpx.post(server.info["clickhouse_url"], content=statement, params=waiting, auth=user).raise_for_status()
    found = server.annals("verify")
    assert found.returncode == 1
    assert "First difference: ClickHouse: position 3 is missing in ClickHouse" in found.stdout
    anybody = httpx.post(server.info["clickhouse_url"], content="TRUNCATE TABLE cvat.events")
    assert anybody.status_code == 403
