"""Jobs, through CVAT's own client: who has one, and how far it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from cvat_sdk import Client, models
from cvat_sdk.api_client.exceptions import ApiException, ForbiddenException, NotFoundException
from cvat_sdk.core.proxies.tasks import Task

from .conftest import Server
from .pictures import write

ANN = ("ann", "correct horse")


@pytest.fixture
def task(client: Client, tmp_path: Path) -> Task:
    """Five frames in three jobs."""
    spec = models.TaskWriteRequest(name="street", labels=[{"name": "car"}], segment_size=2)
    files = write(tmp_path, [f"{n}.jpg" for n in range(5)])
    return client.tasks.create_from_data(spec=spec, resources=files, data_params={"image_quality": 70})


def test_jobs_are_listed_newest_first(client: Client, http: httpx.Client, task: Task) -> None:
    jobs = task.get_jobs()
    assert [(job.start_frame, job.stop_frame, job.frame_count) for job in jobs] == [(4, 4, 1), (2, 3, 2), (0, 1, 2)]
    assert [job.id for job in jobs] == sorted((job.id for job in jobs), reverse=True)
    assert {(job.task_id, job.stage, job.state, job.status, job.type) for job in jobs} == {
        (task.id, "annotation", "new", "annotation", "annotation")
    }
    client.jobs.retrieve(jobs[0].id).update({"stage": "validation"})
    assert [job.id for job in client.jobs.list(task_id=task.id, stage="validation")] == [jobs[0].id]
    assert client.jobs.list(task_id=task.id + 1) == []
    pages = [http.get(f"/api/jobs?page_size=2&page={page}").json() for page in (1, 2)]
    assert [job["id"] for page in pages for job in page["results"]] == [job.id for job in jobs]
    assert [page["next"] is None for page in pages] == [False, True]
    assert http.get("/api/jobs?task_id=1&type=ground_truth").json()["results"] == []


def test_a_job_as_it_is_told(client: Client, http: httpx.Client, task: Task) -> None:
    job = task.get_jobs()[1]
    seen = http.get(f"/api/jobs/{job.id}").json()
    never_null = (
        "url", "id", "task_id", "dimension", "mode", "media_type", "frame_count", "start_frame", "stop_frame",
        "created_date", "updated_date", "replicas_count", "issues", "labels", "data_chunk_size",
        "data_compressed_chunk_type",
    )  # fmt: skip
    assert [name for name in never_null if seen[name] is None] == []
    assert (seen["dimension"], seen["mode"], seen["media_type"], seen["data_compressed_chunk_type"]) == (
        "2d",
        "annotation",
        "image",
        "imageset",
    )
    assert seen["assignee"] is seen["assignee_updated_date"] is seen["project_id"] is seen["organization"] is None
    base = str(http.base_url).rstrip("/")
    assert seen["labels"] == {"url": f"{base}/api/labels?job_id={job.id}"}
    assert seen["issues"] == {"url": f"{base}/api/issues?job_id={job.id}", "count": 0}
    with pytest.raises(NotFoundException):
        client.jobs.retrieve(999_999)


def test_stages_and_states(client: Client, http: httpx.Client, task: Task) -> None:
    job = task.get_jobs()[0]
    steps: list[tuple[dict[str, Any], tuple[str, str, str]]] = [
        ({"state": "completed"}, ("annotation", "completed", "annotation")),
        ({"stage": "annotation"}, ("annotation", "completed", "annotation")),
        ({"stage": "acceptance"}, ("acceptance", "new", "validation")),
        ({"state": "completed"}, ("acceptance", "completed", "completed")),
        ({"stage": "validation", "state": "rejected"}, ("validation", "rejected", "validation")),
        ({"state": "in progress"}, ("validation", "in progress", "validation")),
        ({"stage": "annotation"}, ("annotation", "new", "annotation")),
    ]
    for change, expected in steps:
        job.update(change)
        assert (job.stage, job.state, job.status) == expected
    for field in ("stage", "state"):
        answer = http.patch(f"/api/jobs/{job.id}", json={field: "lost"})
        assert (answer.status_code, answer.json()) == (400, {field: ['"lost" is not a valid choice.']})
    assert http.patch(f"/api/jobs/{job.id}", json={"start_frame": 1}).status_code == 403
    job.fetch()
    assert (job.stage, job.state) == ("annotation", "new")


def test_a_job_changes_hands(client: Client, http: httpx.Client, server: Server, task: Task) -> None:
    ann, job = server.add_user(ANN), task.get_jobs()[0]
    url = f"/api/jobs/{job.id}"
    job.update({"assignee": ann})
    assert (job.assignee.id, job.assignee.username) == (ann, "ann")
    first = http.get(url).json()
    assert first["assignee_updated_date"] == first["updated_date"]
    job.update({"assignee": ann, "state": "in progress"})
    second = http.get(url).json()
    assert second["assignee_updated_date"] == first["assignee_updated_date"] < second["updated_date"]
    assert http.patch(url, json={"assignee": 999_999}).json() == {
        "assignee": ['Invalid pk "999999" - object does not exist.']
    }
    job.update({"assignee": None})
    assert job.assignee is None
    assert http.get(url).json()["assignee_updated_date"] > first["assignee_updated_date"]


def test_what_the_assignee_may(client: Client, server: Server, task: Task) -> None:
    ann = server.add_user(ANN)
    other, job = task.get_jobs()[:2]
    annie = server.sdk(ANN)
    with pytest.raises(ForbiddenException):
        annie.jobs.retrieve(job.id)
    job.update({"assignee": ann})
    assert [found.id for found in annie.jobs.list()] == [job.id]
    mine = annie.jobs.retrieve(job.id)
    mine.update({"state": "completed"})
    assert mine.state == "completed"
    for change in ({"stage": "validation"}, {"assignee": None}, {"state": "new", "stage": "acceptance"}):
        with pytest.raises(ApiException) as refused:
            mine.update(change)
        assert refused.value.status == 403
    mine.fetch()
    assert (mine.stage, mine.state, mine.assignee.id) == ("annotation", "completed", ann)
    with pytest.raises(ForbiddenException):
        annie.api_client.jobs_api.partial_update(other.id, patched_job_write_request={"state": "completed"})
    task.update({"assignee_id": ann})
    mine.update({"stage": "validation"})
    assert (mine.stage, mine.state) == ("validation", "new")
