"""Frames that are taken out of the work, and put back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from cvat_sdk import Client, models
from cvat_sdk.core.proxies.tasks import Task

from .conftest import Server
from .pictures import write


@pytest.fixture
def task(client: Client, tmp_path: Path) -> Task:
    """Ten frames, absolute 2, 4, …, in jobs of 0-4 and 5-9."""
    files = write(tmp_path, [f"{number:02d}.jpg" for number in range(22)])
    spec = models.TaskWriteRequest(name="photos", labels=[{"name": "thing"}], segment_size=5)
    params = {"image_quality": 70, "start_frame": 2, "stop_frame": 21, "frame_step": 2}
    return client.tasks.create_from_data(spec=spec, resources=files, data_params=params)


@pytest.fixture
def jobs(task: Task) -> list[Any]:
    return sorted(task.get_jobs(), key=lambda job: job.start_frame)


def deleted(*parts: Any) -> list[list[int]]:
    return [part.get_meta().deleted_frames for part in parts]


def test_a_task_says_which_frames_are_deleted(task: Task, jobs: list[Any]) -> None:
    task.remove_frames_by_ids([7, 1])
    assert deleted(task, *jobs) == [[1, 7], [1], [7]]
    task.remove_frames_by_ids([0])
    assert deleted(task, *jobs) == [[0], [0], []]
    task.remove_frames_by_ids([])
    assert deleted(task) == [[]]


def test_a_job_changes_its_own_frames_only(task: Task, jobs: list[Any]) -> None:
    task.remove_frames_by_ids([1, 7])
    jobs[0].remove_frames_by_ids([2, 3])
    assert deleted(task, *jobs) == [[2, 3, 7], [2, 3], [7]]
    assert (task.get_meta().size, jobs[0].get_meta().size) == (10, 5)


def test_the_answer_is_the_new_state(http: httpx.Client, task: Task, jobs: list[Any]) -> None:
    answer = http.patch(f"/api/jobs/{jobs[1].id}/data/meta", json={"deleted_frames": [9], "cloud_storage_id": None})
    assert (answer.status_code, answer.json()["deleted_frames"]) == (200, [9])
    assert answer.json() == http.get(f"/api/jobs/{jobs[1].id}/data/meta").json()
    assert http.patch(f"/api/tasks/{task.id}/data/meta", json={}).json()["deleted_frames"] == [9]


@pytest.mark.parametrize("wrong", [[0, 0], [10], [-1], ["1"], [0.5], 3, [2**31], [True]])
def test_wrong_frames_are_refused(http: httpx.Client, task: Task, jobs: list[Any], wrong: Any) -> None:
    for url in (f"/api/tasks/{task.id}/data/meta", f"/api/jobs/{jobs[1].id}/data/meta"):
        answer = http.patch(url, json={"deleted_frames": wrong})
        assert (answer.status_code, list(answer.json())) == (400, ["deleted_frames"])
    assert http.patch(f"/api/jobs/{jobs[1].id}/data/meta", json={"deleted_frames": [4]}).status_code == 400
    assert deleted(task) == [[]]


def test_what_was_drawn_stays_and_dates_move(task: Task, jobs: list[Any]) -> None:
    label = task.get_labels()[0].id
    shape = models.LabeledShapeRequest(type="points", frame=1, label_id=label, points=[1.0, 2.0])
    jobs[0].set_annotations(models.LabeledDataRequest(shapes=[shape]))
    before = {part.id: part.fetch().updated_date for part in (task, *jobs)}
    chunks = task.get_meta().chunks_updated_date
    jobs[0].remove_frames_by_ids([1])
    moved = [part.fetch().updated_date > before[part.id] for part in (task, *jobs)]
    assert moved == [True, True, False]
    assert [found.frame for found in jobs[0].get_annotations().shapes] == [1]
    assert task.get_meta().chunks_updated_date == chunks


def test_who_may_delete_frames(server: Server, task: Task, jobs: list[Any]) -> None:
    user = server.add_user(("worker", "correct horse"))
    worker = server.http(("worker", "correct horse"))
    jobs[0].update({"assignee": user})
    urls = [f"/api/tasks/{task.id}/data/meta", *(f"/api/jobs/{job.id}/data/meta" for job in jobs)]
    assert [worker.patch(url, json={"deleted_frames": [0]}).status_code for url in urls] == [403, 200, 403]


def test_without_data_there_is_nothing_to_delete(client: Client, http: httpx.Client) -> None:
    task = client.tasks.create(models.TaskWriteRequest(name="empty", labels=[]))
    assert http.patch(f"/api/tasks/{task.id}/data/meta", json={"deleted_frames": [0]}).status_code == 404
