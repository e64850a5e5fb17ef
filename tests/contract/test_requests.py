"""Requests: what becomes of work that takes a while, through CVAT's own client."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from cvat_sdk import Client
from cvat_sdk.api_client.exceptions import ForbiddenException, NotFoundException
from cvat_sdk.core.exceptions import BackgroundRequestException
from cvat_sdk.core.proxies.tasks import Task

from api.routes import requests as routes
from infra.settings import Settings

from .conftest import ADMIN, Server
from .pictures import write

ANN = ("ann", "correct horse")
HOLD_SECONDS = 0.5


@pytest.fixture
def idle_server(database_url: str, data_folder: Path) -> Iterator[Server]:
    """Running without an agent."""
    server = Server(database_url, Settings(data=data_folder, request_hold_seconds=HOLD_SECONDS)).start(agents=0)
    try:
        server.add_user(ADMIN, is_admin=True)
        yield server
    finally:
        server.stop()


def new_task(client: Client) -> Task:
    return client.tasks.create({"name": "street", "labels": [{"name": "car"}]})


def request_id(task: Task) -> str:
    return f"action=create&target=task&target_id={task.id}"


def test_a_request_has_a_known_id_in_every_spelling(client: Client, http: httpx.Client, tmp_path: Path) -> None:
    task = new_task(client)
    task.upload_data(write(tmp_path, ["a.jpg"]), wait_for_completion=False)
    key = request_id(task)
    request, _ = client.api_client.requests_api.retrieve(key)
    assert (request.id, request.status.value, request.message, request.progress) == (key, "finished", "", 1.0)
    operation = request.operation
    assert (operation.type, operation.target, operation.task_id, operation.job_id) == (
        "create:task",
        "task",
        task.id,
        None,
    )
    seen = http.get(f"/api/requests/{quote(key, safe='')}").json()
    for spelling in (key, f"create:task-{task.id}", f"create%3Atask-{task.id}"):
        assert http.get(f"/api/requests/{spelling}").json() == seen
    assert not {"result_url", "result_id"} & seen.keys()
    times = [datetime.fromisoformat(seen[f"{moment}_date"]) for moment in ("created", "started", "finished", "expiry")]
    assert times == sorted(times)
    assert times[3] - times[2] == timedelta(hours=1)
    assert seen["owner"]["username"] == "admin"
    assert http.get(f"/api/tasks/{task.id}/status").json() == {"state": "Finished", "message": "", "progress": 1.0}


def test_an_unknown_request(client: Client, http: httpx.Client) -> None:
    for key in ("action=create&target=task&target_id=999", "create:task-999", "nonsense", "%00"):
        answer = http.get(f"/api/requests/{key}")
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (404, "text/plain")
    with pytest.raises(NotFoundException):
        client.api_client.requests_api.retrieve("action=create&target=task&target_id=999")
    status, _ = client.api_client.tasks_api.retrieve_status(new_task(client).id)
    assert status.state.value == "Finished"


def test_a_failed_request_says_why(client: Client, http: httpx.Client, tmp_path: Path) -> None:
    task = new_task(client)
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(BackgroundRequestException, match=r"notes\.txt"):
        task.upload_data([tmp_path / "notes.txt"])
    request, _ = client.api_client.requests_api.retrieve(request_id(task))
    assert request.status.value == "failed"
    assert "notes.txt" in request.message
    assert request.progress is None
    assert request.expiry_date - request.finished_date == timedelta(days=30)
    status = http.get(f"/api/tasks/{task.id}/status").json()
    assert status == {"state": "Failed", "message": request.message, "progress": 0.0}


def test_requests_are_listed_and_filtered(client: Client, tmp_path: Path) -> None:
    tasks = [new_task(client) for _ in range(3)]
    files = write(tmp_path, ["a.jpg", "notes.txt"])
    files[1].write_text("no picture")
    tasks[0].upload_data(files[:1])
    tasks[1].upload_data(files[:1])
    with pytest.raises(BackgroundRequestException):
        tasks[2].upload_data(files[1:])
    ids = [request_id(task) for task in tasks]

    def listed(**filters: object) -> list[str]:
        page, _ = client.api_client.requests_api.list(**filters)
        assert page.count == len(page.results)
        return [request.id for request in page.results]

    assert listed() == ids[::-1]
    assert listed(action="create", target="task", task_id=tasks[0].id) == [ids[0]]
    assert listed(status="failed") == [ids[2]]
    assert listed(status="finished") == [ids[1], ids[0]]
    assert listed(action="export") == listed(target="job") == listed(task_id=999) == listed(subresource="backup") == []


def test_a_request_is_its_owners(client: Client, server: Server, tmp_path: Path) -> None:
    server.add_user(ANN)
    task = new_task(client)
    task.upload_data(write(tmp_path, ["a.jpg"]))
    ann = server.sdk(ANN)
    with pytest.raises(ForbiddenException):
        ann.api_client.requests_api.retrieve(request_id(task))
    with pytest.raises(ForbiddenException):
        ann.api_client.requests_api.retrieve(f"create:task-{task.id}")
    assert ann.api_client.requests_api.list()[0].results == []
    with pytest.raises(ForbiddenException):
        ann.api_client.tasks_api.retrieve_status(task.id)
    hers = new_task(ann)
    hers.upload_data([tmp_path / "a.jpg"])
    assert [request.id for request in ann.api_client.requests_api.list()[0].results] == [request_id(hers)]
    assert client.api_client.requests_api.list()[0].count == 2


def test_nobody_listens_and_the_request_says_so(
    idle_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    find = routes._find
    monkeypatch.setattr(routes, "_find", lambda request, context, key: looks.append(key) or find(request, context, key))
    client, http = idle_server.sdk(), idle_server.http()
    task = new_task(client)
    task.upload_data(write(tmp_path, ["a.jpg"]), wait_for_completion=False)
    seen = http.get(f"/api/requests/{request_id(task)}").json()
    # The notice of its own queueing, or of the connection for such notices, may come while it waits.
    assert 2 <= len(looks) <= 4, "when it comes, and again at the end of its wait"
    assert (seen["status"], seen["message"]) == ("queued", "No agent is listening to the queue “import”.")
    assert (seen["progress"], seen["started_date"], seen["finished_date"], seen["expiry_date"]) == (None,) * 4
    request, _ = client.api_client.requests_api.retrieve(request_id(task))
    assert request.status.value == "queued"
    status = http.get(f"/api/tasks/{task.id}/status").json()
    assert status == {"state": "Queued", "message": seen["message"], "progress": 0.0}


def test_the_answer_waits_for_the_end(idle_server: Server, tmp_path: Path) -> None:
    idle_server.settings.request_hold_seconds = 50
    client = idle_server.sdk()
    task = new_task(client)
    task.upload_data(write(tmp_path, ["a.jpg"]), wait_for_completion=False)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(idle_server.http().get, f"/api/requests/{request_id(task)}")
        with pytest.raises(TimeoutError):
            answer.result(timeout=0.3)
        idle_server.start_agent()
        assert answer.result(timeout=60).json()["status"] == "finished"
    task.fetch()
    assert task.size == 1


def test_the_clients_own_wait_takes_one_poll(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("cvat_sdk.core.client.sleep", pauses.append)  # between two polls
    task = new_task(client)
    task.upload_data(write(tmp_path, ["a.jpg"]))
    assert not pauses
    assert task.size == 1
