"""Tasks whose annotators are checked: how tests make them, and what they ask of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from cvat_sdk import Client, models
from cvat_sdk.core.proxies.jobs import Job
from cvat_sdk.core.proxies.tasks import Task

from .pictures import write

ANN = ("ann", "correct horse")
Create = Callable[..., Task]


def creator(client: Client, folder: Path) -> Create:
    """What makes a task of ten frames, `0.jpg` to `9.jpg`, in jobs of three; options of the data by name."""
    files = write(folder / "pictures", [f"{n}.jpg" for n in range(10)])

    def create(spec: dict[str, Any] | None = None, **data: Any) -> Task:
        wanted = {"name": "street", "labels": [{"name": "car"}], "segment_size": 3, "overlap": 0} | (spec or {})
        return client.tasks.create_from_data(
            spec=models.TaskWriteRequest(**wanted), resources=files, data_params={"image_quality": 70, **data}
        )

    return create


def add(client: Client, task: Task, **how: Any) -> Job:
    """A ground truth job."""
    wanted = models.JobWriteRequest(task_id=task.id, type="ground_truth", **how)
    job, response = client.api_client.jobs_api.create(wanted)
    assert response.status == 201
    return client.jobs.retrieve(job.id)


def delete(client: Client, job: Job) -> None:
    client.api_client.jobs_api.destroy(job.id)


def included(http: httpx.Client, job: Job) -> list[int]:
    return list(http.get(f"/api/jobs/{job.id}/data/meta").json()["included_frames"])


def layout(http: httpx.Client, of: Task | Job) -> dict[str, Any]:
    noun = "tasks" if isinstance(of, Task) else "jobs"
    answer = http.get(f"/api/{noun}/{of.id}/validation_layout")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def names(http: httpx.Client, task: Task) -> list[str]:
    return [frame["name"] for frame in http.get(f"/api/tasks/{task.id}/data/meta").json()["frames"]]
