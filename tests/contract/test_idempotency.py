"""`Idempotency-Key`: whoever asks again gets the first answer, and the log gets nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from cvat_sdk import Client

from domain.errors import Unavailable
from infra.postgres.answers import Answers, Claim

from ..waiting import wait_until
from .conftest import ADMIN, Server
from .pictures import noise
from .shared import head
from .streets import Street, document, stored, street_of

ANN = ("ann", "correct horse")
TASK = {"name": "cats", "labels": [{"name": "cat"}]}
REPOSITORY = Path(__file__).parents[2]

DYING_SERVER = """
import os, signal, socket, sys
import uvicorn
from api.app import create_app
from api.services import Services
from cli.bootstrap import connect
from infra.blobs import FileBlobs
from infra.media.cache import ChunkCache
from infra.postgres.answers import Answers
from infra.settings import Settings

url, data = sys.argv[1:]
Answers.answer = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
settings, system = Settings(data=data), connect(url)
chunks = ChunkCache(settings.cache, settings.chunk_cache_bytes)
app = create_app(Services(settings, system.database, system.app, FileBlobs(settings.blobs), chunks))
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_config=None)).run([listener])
"""


@pytest.fixture
def street(client: Client, tmp_path: Path) -> Street:
    return street_of(client, tmp_path)


def keyed(key: str, **headers: str) -> dict[str, str]:
    return {"Idempotency-Key": key, **headers}


def comparable(answer: httpx.Response) -> tuple[int, Any, str | None]:
    return answer.status_code, answer.json() if answer.content else None, answer.headers.get("etag")


def test_a_task_is_created_once(http: httpx.Client, server: Server) -> None:
    first = http.post("/api/tasks", json=TASK, headers=keyed("a"))
    position = head(server)
    again = http.post("/api/tasks", json=TASK, headers=keyed("a"))
    assert comparable(again) == comparable(first)
    assert (first.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert "idempotency-replayed" not in first.headers
    assert head(server) == position
    assert http.post("/api/tasks", json=TASK, headers=keyed("b")).json()["id"] != first.json()["id"]
    assert http.post("/api/tasks", json=TASK).json()["id"] != first.json()["id"]


def test_many_at_once_get_the_answer_of_one(http: httpx.Client, server: Server) -> None:
    start = threading.Barrier(12)

    def create(_: int) -> tuple[int, Any, str | None]:
        start.wait()
        return comparable(http.post("/api/tasks", json=TASK, headers=keyed("together")))

    before = head(server)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(create, range(12)))
    assert answers == answers[:1] * 12
    assert answers[0][0] == 201
    assert head(server) == before + 2  # TaskCreated, LabelsAdded
    assert http.get("/api/tasks").json()["count"] == 1


def test_every_way_to_write_takes_a_key(street: Street, http: httpx.Client, server: Server) -> None:
    shapes = document(shapes=[street.box()])
    calls: list[tuple[str, str, Any]] = [
        ("PATCH", street.url + "?action=create", shapes),
        ("PUT", street.url, shapes),
        ("PATCH", f"/api/jobs/{street.first.id}", {"state": "in progress"}),
        ("PATCH", f"/api/tasks/{street.task.id}", {"name": "road"}),
        ("PATCH", street.task_url + "?action=create", shapes),
        ("DELETE", street.url, None),
        ("POST", "/api/projects", {"name": "animals"}),
        ("DELETE", f"/api/tasks/{street.task.id}", None),
        ("POST", "/api/log/restore", {"stream": f"task-{street.task.id}"}),
    ]
    for number, (method, url, body) in enumerate(calls):
        first = http.request(method, url, json=body, headers=keyed(f"call-{number}"))
        position = head(server)
        assert first.is_success, first.text
        again = http.request(method, url, json=body, headers=keyed(f"call-{number}"))
        assert comparable(again) == comparable(first)
        assert again.headers["idempotency-replayed"] == "true"
        assert head(server) == position


def test_an_upload_is_taken_once(http: httpx.Client, server: Server) -> None:
    task_id = http.post("/api/tasks", json=TASK).json()["id"]
    url = f"/api/tasks/{task_id}/data/"
    files = {"client_files[0]": ("a.jpg", noise())}
    data = {"image_quality": "70"}
    first = http.post(url, files=files, data=data, headers=keyed("upload"))
    assert first.status_code == 202, first.text
    again = http.post(url, files=files, data=data, headers=keyed("upload"))
    assert comparable(again) == comparable(first)
    rows = server.system.database.query("SELECT count(*) AS n FROM log.events WHERE type = 'RequestQueued'")
    assert rows == [{"n": 1}]


def test_another_request_under_the_key_is_refused(http: httpx.Client, server: Server) -> None:
    http.post("/api/tasks", json=TASK, headers=keyed("a"))
    before = head(server)
    others = [
        http.post("/api/tasks", json={"name": "dogs"}, headers=keyed("a")),
        http.post("/api/projects", json=TASK, headers=keyed("a")),
        http.post("/api/tasks?org=", json=TASK, headers=keyed("a")),
    ]
    assert [other.status_code for other in others] == [422] * 3
    assert others[0].json() == {"detail": "This Idempotency-Key was used for another request"}
    assert head(server) == before


def test_keys_of_different_people_are_different_keys(http: httpx.Client, server: Server) -> None:
    server.add_user(ANN)
    mine = http.post("/api/tasks", json=TASK, headers=keyed("a")).json()
    hers = server.http(ANN).post("/api/tasks", json=TASK, headers=keyed("a")).json()
    assert mine["id"] != hers["id"]
    assert hers["owner"]["username"] == "ann"


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "ä"])
def test_a_key_that_is_none_is_refused(http: httpx.Client, server: Server, key: str) -> None:
    before = head(server)
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]
    assert http.post("/api/tasks", json=TASK, headers=headers).status_code == 400
    assert head(server) == before


def test_a_refusal_is_kept_too(http: httpx.Client) -> None:
    first = http.post("/api/tasks", json={"name": ""}, headers=keyed("a"))
    again = http.post("/api/tasks", json={"name": ""}, headers=keyed("a"))
    assert (first.status_code, comparable(again)) == (400, comparable(first))
    assert again.headers["idempotency-replayed"] == "true"


def test_who_may_not_do_it_gets_no_answer_of_others(http: httpx.Client, server: Server) -> None:
    http.post("/api/tasks", json=TASK, headers=keyed("a"))
    wrong = httpx.post(f"{server.url}/api/tasks", json=TASK, headers=keyed("a"), auth=("admin", "wrong"))
    nobody = httpx.post(f"{server.url}/api/tasks", json=TASK, headers=keyed("a"))
    assert [wrong.status_code, nobody.status_code] == [401, 401]


def test_what_answers_with_secrets_is_never_kept(http: httpx.Client, server: Server) -> None:
    body = {"username": ADMIN[0], "password": ADMIN[1]}
    first = httpx.post(f"{server.url}/api/auth/login", json=body, headers=keyed("a"))
    again = httpx.post(f"{server.url}/api/auth/login", json=body, headers=keyed("a"))
    assert first.headers["idempotency-key-ignored"] == "true"
    assert first.json()["key"] != again.json()["key"]
    assert server.system.database.query("SELECT 1 FROM log.answers") == []


def test_a_key_does_nothing_to_a_get(http: httpx.Client, server: Server) -> None:
    assert http.get("/api/tasks", headers=keyed("a")).status_code == 200
    assert server.system.database.query("SELECT 1 FROM log.answers") == []


LOST: list[tuple[str, Callable[[Street], str], Callable[[Street], Any]]] = [
    ("POST", lambda _: "/api/tasks", lambda _: TASK),
    ("POST", lambda _: "/api/projects", lambda _: {"name": "animals"}),
    ("PATCH", lambda s: s.url + "?action=create", lambda s: document(shapes=[s.box(), s.box(1)])),
    ("PATCH", lambda s: f"/api/tasks/{s.task.id}", lambda _: {"name": "road"}),
    ("DELETE", lambda s: f"/api/tasks/{s.task.id}", lambda _: None),
]


@pytest.mark.parametrize(("method", "path", "content"), LOST)
def test_what_a_killed_server_has_done_is_answered_and_not_done_again(
    street: Street,
    http: httpx.Client,
    server: Server,
    database_url: str,
    method: str,
    path: Callable[[Street], str],
    content: Callable[[Street], Any],
) -> None:
    """It dies behind the commit and before the answer."""
    command = [sys.executable, "-c", DYING_SERVER, database_url, str(server.settings.data)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as dying:
        assert dying.stdout is not None
        port = int(dying.stdout.readline())
        before = head(server)
        with pytest.raises(httpx.HTTPError):
            httpx.request(
                method, f"http://127.0.0.1:{port}{path(street)}", json=content(street), headers=keyed("a"), auth=ADMIN,
                timeout=120,
            )  # fmt: skip
    position = head(server)
    assert position > before
    answer = http.request(method, path(street), json=content(street), headers=keyed("a"))
    assert (answer.is_success, answer.headers["idempotency-replayed"]) == (True, "true")
    assert head(server) == position
    if answer.status_code == 201:
        url = f"{path(street)}/{answer.json()['id']}"
        assert http.get(url).json() == answer.json()
    if "annotations" in path(street):
        assert answer.json()["shapes"] == stored(http, street.url)["shapes"]
        assert len(answer.json()["shapes"]) == 2
    assert comparable(http.request(method, path(street), json=content(street), headers=keyed("a"))) == comparable(
        answer
    )


def test_a_claim_of_a_dead_process_goes_over_and_that_of_a_living_one_does_not(server: Server) -> None:
    dead, alive, third = (Answers(server.system.database) for _ in range(3))
    claim = Claim(1, "a", b"same")
    assert dead.find_or_claim(claim).mine
    assert not alive.find_or_claim(claim).mine
    dead.close()
    wait_until(lambda: alive.find_or_claim(claim).mine)  # when the server has seen that the connection is gone
    assert not third.find_or_claim(claim).mine
    alive.give_up(claim)
    assert third.find_or_claim(claim).mine
    for each in (alive, third):
        each.close()


def test_the_log_alone_stops_a_second_save(server: Server) -> None:
    """Were everything else to fail, the unique index would not."""
    from domain.errors import DoneBefore
    from domain.event import Actor, Context, Once
    from domain.task import NewTask

    app = server.system.app
    for number in range(2):
        context = Context(Actor(1, "admin"), once=Once("a"))
        if number == 0:
            app.tasks.create(context, NewTask("cats", []))
            app.tasks.create(context, NewTask("a second save of one request", []))
            continue
        before = head(server)
        with pytest.raises(DoneBefore):
            app.tasks.create(context, NewTask("cats", []))
        assert head(server) == before


def test_a_late_retry_does_nothing_and_another_request_is_done(http: httpx.Client, server: Server) -> None:
    """The answers are gone after a day; the log is not."""
    first = http.post("/api/tasks", json=TASK, headers=keyed("a"))
    server.system.database.query("DELETE FROM log.answers RETURNING 1")
    before = head(server)
    again = http.post("/api/tasks", json=TASK, headers=keyed("a"))
    assert (again.json()["id"], again.headers["idempotency-replayed"]) == (first.json()["id"], "true")
    assert head(server) == before
    server.system.database.query("DELETE FROM log.answers RETURNING 1")
    other = http.post("/api/projects", json={"name": "animals"}, headers=keyed("a"))
    assert (other.status_code, other.json()["name"]) == (201, "animals")


def test_a_failure_of_the_server_is_not_kept(
    http: httpx.Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise Unavailable

    with monkeypatch.context() as broken:
        broken.setattr(server.system.app.tasks, "create", refuse)
        assert http.post("/api/tasks", json=TASK, headers=keyed("a")).status_code == 503
    answer = http.post("/api/tasks", json=TASK, headers=keyed("a"))
    assert (answer.status_code, "idempotency-replayed" in answer.headers) == (201, False)
