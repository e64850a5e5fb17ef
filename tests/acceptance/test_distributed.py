"""The processes of a distributed deployment, on a PostgreSQL and a ClickHouse by URL, as the service's log-in."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.clickhouse.process import EndpointProcess

from ..integration.databases import BARE, new_database
from ..kafka.fixtures import kafka, kafka_configuration  # noqa: F401 (fixtures)
from ..waiting import wait_until
from .conftest import REPOSITORY
from .deployment import PASSWORD, TOKEN, Deployment

PHOTOS = sorted((REPOSITORY / "examples" / "photos").glob("*.jpg"))[:3]
IMAGES = "CVAT for images 1.1"


@pytest.fixture(params=[pytest.param("log", marks=pytest.mark.soak), "kafka"])  # the longer way goes through all of it
def way(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """The settings that lead events to ClickHouse: straight from the log, or by way of Kafka."""
    if request.param == "log":
        return {}
    broker = request.getfixturevalue("kafka_configuration")
    return {"ANNALS_KAFKA_URL": f"kafka://{','.join(broker.servers)}", "ANNALS_KAFKA_TOPIC_PREFIX": broker.topic_prefix}


@pytest.fixture
def deployment(postgres: str, tmp_path: Path, way: Mapping[str, str]) -> Iterator[Deployment]:
    """Prepared by `annals migrate`; nothing runs."""
    with ExitStack() as stack:
        database_url = stack.enter_context(new_database(postgres, BARE))
        endpoint = stack.enter_context(EndpointProcess(tmp_path / "clickhouse", "writer"))
        url = f"http://forwarder:writer@127.0.0.1:{endpoint.port}/cvat"
        deployment = Deployment(tmp_path, database_url, url, way)
        stack.callback(deployment.destroy)
        deployment.migrate()
        yield deployment


def upload(first: httpx.Client, second: httpx.Client, task_id: int, photo: Path) -> None:
    """In two pieces, each by way of another replica."""
    content = photo.read_bytes()
    tus = {"Tus-Resumable": "1.0.0"}
    name = base64.b64encode(photo.name.encode()).decode()
    opened = first.post(
        f"/api/tasks/{task_id}/data/",
        headers=tus | {"Upload-Length": str(len(content)), "Upload-Metadata": f"filename {name}"},
    )
    path = httpx.URL(opened.headers["Location"]).path
    middle = len(content) // 2
    for replica, offset, piece in ((second, 0, content[:middle]), (first, middle, content[middle:])):
        headers = tus | {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
        assert replica.patch(path, headers=headers, content=piece).status_code == 204


def finished(replica: httpx.Client, request_id: str) -> dict[str, Any]:
    """The request, when an agent has done it."""
    found: dict[str, Any] = {}

    def over() -> bool:
        found.update(replica.get(f"/api/requests/{request_id}").json())
        return found["status"] in ("finished", "failed")

    wait_until(over)
    assert found["status"] == "finished", found
    return found


def task_with_photos(first: httpx.Client, second: httpx.Client) -> int:
    task = first.post("/api/tasks", json={"name": "street", "labels": [{"name": "car"}]}).json()
    assert first.post(f"/api/tasks/{task['id']}/data/", headers={"Upload-Start": "true"}).status_code == 202
    for photo in PHOTOS:
        upload(first, second, task["id"], photo)
    done = second.post(f"/api/tasks/{task['id']}/data/", headers={"Upload-Finish": "true"}, json={"image_quality": 70})
    finished(first, done.json()["rq_id"])
    return int(task["id"])


def annotate(writer: httpx.Client, reader: httpx.Client, task_id: int) -> int:
    """A box, by way of one replica, which the other has at once. Returns the job."""
    [job] = writer.get("/api/jobs", params={"task_id": task_id}).json()["results"]
    [label] = writer.get("/api/labels", params={"task_id": task_id}).json()["results"]
    shape = {"type": "rectangle", "frame": 1, "label_id": label["id"], "points": [1, 2, 30, 40]}
    made = writer.patch(f"/api/jobs/{job['id']}/annotations?action=create", json={"shapes": [shape]})
    assert made.status_code == 200
    [stored] = reader.get(f"/api/jobs/{job['id']}/annotations").json()["shapes"]
    assert stored["points"] == [1, 2, 30, 40]
    return int(job["id"])


def exported(first: httpx.Client, second: httpx.Client, task_id: int) -> bytes:
    """Asked for by way of one replica, fetched by way of the other."""
    asked = first.post(f"/api/tasks/{task_id}/dataset/export", params={"format": IMAGES, "save_images": "false"})
    url = finished(second, asked.json()["rq_id"])["result_url"]
    return second.get(httpx.URL(url).raw_path.decode()).content


def check_counts(deployment: Deployment) -> None:
    """What a process counts is for who has the token."""
    for name in ("api-1", "agent-import"):
        url = f"http://127.0.0.1:{deployment.ports[name]}/metrics"
        assert httpx.get(url).status_code == 401
        answer = httpx.get(url, headers={"Authorization": f"Bearer {TOKEN}"})
        assert "annals_disk_free_bytes" in answer.text


def test_a_task_made_through_one_replica_is_annotated_through_the_other(
    deployment: Deployment, way: Mapping[str, str]
) -> None:
    for name in ("api-1", "api-2"):
        deployment.run("api", name)
    for name in ["agent-import", "agent-export", "forwarder", *(["relay"] if way else [])]:
        deployment.run(name)
    wait_until(lambda: all(deployment.healthy(name) for name in deployment.running))
    check_counts(deployment)
    with deployment.http("api-1") as first, deployment.http("api-2") as second:
        task_id = task_with_photos(first, second)
        job_id = annotate(second, first, task_id)
        chunk = f"/api/jobs/{job_id}/data?type=chunk&quality=compressed&index=0"
        assert first.get(chunk).content == second.get(chunk).content != b""
        assert exported(first, second, task_id).startswith(b"PK")
        wait_until(deployment.arrived)
        deployment.migrate()  # as an upgrade does, beside all that runs
        assert second.patch(f"/api/jobs/{job_id}", json={"stage": "acceptance"}).status_code == 200
    doing = [name for name in deployment.running if name not in ("relay", "forwarder")]
    assert deployment.stop(*doing) == dict.fromkeys(doing, 0)
    said = deployment.said("api-1") + deployment.said("agent-import")
    assert not any(secret in said for secret in (PASSWORD, TOKEN, "writer"))
    if way:
        assert deployment.stop("relay") == {"relay": 0}
        wait_until(deployment.arrived)  # what a relay has just sent takes its time to come out of Kafka
    assert deployment.stop("forwarder") == {"forwarder": 0}
    assert deployment.arrived(), "what was in the log when it was told to stop"


def test_who_comes_before_the_migration_says_so_and_ends(postgres: str, tmp_path: Path) -> None:
    with new_database(postgres, BARE) as url:
        early = Deployment(tmp_path, url, "http://127.0.0.1:1", {})
        assert early.run("agent-import").wait(180) == 1
        assert "run `annals migrate` first" in early.said("agent-import")
