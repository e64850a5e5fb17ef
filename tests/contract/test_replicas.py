"""Consensus: the same frames annotated several times, through CVAT's own client (CVAT contract 3.4)."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from cvat_sdk import Client, models

from .validated_tasks import Create, creator


@pytest.fixture
def create(client: Client, tmp_path: Path) -> Create:
    return creator(client, tmp_path)


def test_replicas(client: Client, http: httpx.Client, create: Create) -> None:
    task = create({"segment_size": 5, "consensus_replicas": 2})
    assert (task.consensus_enabled, http.get(f"/api/tasks/{task.id}").json()["initial_replicas"]) == (True, 2)
    assert task.jobs.count == 6
    jobs = sorted(task.get_jobs(), key=lambda job: job.id)
    first, second = jobs[0], jobs[3]
    assert [(job.type, job.parent_job_id, job.start_frame, job.replicas_count) for job in jobs] == [
        ("annotation", None, 0, 2), ("replica", first.id, 0, 0), ("replica", first.id, 0, 0),
        ("annotation", None, 5, 2), ("replica", second.id, 5, 0), ("replica", second.id, 5, 0),
    ]  # fmt: skip
    assert [job.id for job in client.jobs.list(parent_job_id=first.id)] == [jobs[2].id, jobs[1].id]
    assert [job.id for job in client.jobs.list(type="replica", task_id=task.id)] == [jobs[n].id for n in (5, 4, 2, 1)]
    [label] = task.get_labels()
    tag = models.LabeledDataRequest(tags=[models.LabeledImageRequest(frame=1, label_id=label.id)])
    jobs[1].set_annotations(tag)
    assert task.get_annotations().tags == []
    task.set_annotations(tag)
    assert [len(job.get_annotations().tags) for job in jobs] == [1, 1, 0, 0, 0, 0]
    chunks = [http.get(f"/api/jobs/{job.id}/data?type=chunk&quality=compressed&index=0").content for job in jobs[:2]]
    assert chunks[0] == chunks[1]
    assert http.delete(f"/api/jobs/{jobs[1].id}").status_code == 400
    one = http.post("/api/tasks", json={"name": "x", "labels": [], "consensus_replicas": 1})
    assert one.status_code == 400
    task.remove()
    assert http.get("/api/jobs").json()["count"] == 0
