"""Ground truth jobs, through CVAT's own client (CVAT contract 3.4)."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from cvat_sdk import Client, models
from cvat_sdk.core.exceptions import BackgroundRequestException
from numpy.random import MT19937, Generator

from infra.media.frames import placeholder_frame

from .clips import number_of, write_clip
from .conftest import Server
from .validated_tasks import ANN, Create, add, creator, delete, included, layout


@pytest.fixture
def create(client: Client, tmp_path: Path) -> Create:
    return creator(client, tmp_path)


def test_uniform(client: Client, http: httpx.Client, create: Create) -> None:
    task = create()
    job = add(client, task, frame_selection_method="random_uniform", frame_count=4, random_seed=42)
    expected = sorted(Generator(MT19937(42)).choice(range(10), size=4, shuffle=False, replace=False).tolist())
    assert included(http, job) == expected
    assert (job.type, job.start_frame, job.stop_frame, job.frame_count) == ("ground_truth", 0, 9, 4)
    assert (job.stage, job.state, job.status, job.assignee) == ("annotation", "new", "annotation", None)
    task.fetch()
    assert (task.validation_mode, task.jobs.count, task.size) == ("gt", 5, 10)
    assert layout(http, task) == {
        "mode": "gt", "frames_per_job_count": None, "validation_frames": expected, "disabled_frames": [],
        "honeypot_count": 0, "honeypot_frames": [], "honeypot_real_frames": [],
    }  # fmt: skip
    assert layout(http, job) == {}
    assert [found.id for found in client.jobs.list(task_id=task.id, type="ground_truth")] == [job.id]
    assert [found.id for found in client.tasks.list(validation_mode="gt")] == [task.id]
    meta = http.get(f"/api/jobs/{job.id}/data/meta").json()
    assert meta["size"] == 4
    names = [frame["name"] for frame in meta["frames"]]
    assert names == [f"{n}.jpg" if n in expected else "placeholder.jpg" for n in range(10)]


def test_per_job_by_hand_and_for_somebody(client: Client, http: httpx.Client, server: Server, create: Create) -> None:
    task = create({"segment_size": 4, "overlap": 2})
    job = add(client, task, frame_selection_method="random_per_job", frames_per_job_count=2, random_seed=1)
    frames = included(http, job)
    segments = sorted((j.start_frame, j.stop_frame) for j in task.get_jobs() if j.type == "annotation")
    assert segments == [(0, 3), (2, 5), (4, 7), (6, 9)]
    assert all(sum(start <= frame <= stop for frame in frames) >= 2 for start, stop in segments)
    delete(client, job)
    ann = server.add_user(ANN)
    by_hand = add(client, task, frame_selection_method="manual", frames=[7, 2], assignee=ann)
    assert included(http, by_hand) == [2, 7]
    assert by_hand.assignee.username == "ann"
    seen = http.get(f"/api/jobs/{by_hand.id}").json()
    assert seen["assignee_updated_date"] == seen["updated_date"]
    assert [found.id for found in server.sdk(ANN).jobs.list()] == [by_hand.id]


def test_what_is_refused(http: httpx.Client, server: Server, create: Create) -> None:
    task = create()
    wanted: dict[str, Any] = {"task_id": task.id, "type": "ground_truth", "frame_selection_method": "manual"}
    two = '"frame_count", "frame_share"'
    cases: list[tuple[dict[str, Any], Any]] = [
        ({"frames": [1, 10]}, ["The following frames are not included in the task: 10"]),
        ({"frames": [1, 1]}, ["Frames must not repeat"]),
        ({}, {"non_field_errors": ['One of the fields "frames" is required']}),
        ({"frame_selection_method": "random_uniform"}, {"non_field_errors": [f"One of the fields {two} is required"]}),
        (
            {"frame_selection_method": "random_uniform", "frame_count": 11},
            ["The number of frames requested (11) must not be greater than the number of the task frames (10)"],
        ),
        ({"frame_selection_method": "best"}, {"frame_selection_method": ['"best" is not a valid choice.']}),
        ({"frames": [-1]}, {"frames": [["Ensure this value is greater than or equal to 0."]]}),
        ({"type": "annotation", "frames": [1]}, ["Unexpected job type 'annotation'"]),
        ({"type": "odd", "frames": [1]}, {"type": ['"odd" is not a valid choice.']}),
        ({"frames": [1], "assignee": 999}, {"assignee": ['Invalid pk "999" - object does not exist.']}),
    ]
    for changes, detail in cases:
        answer = http.post("/api/jobs", json=wanted | changes)
        assert (answer.status_code, answer.json()) == (400, detail)
    share = b'{"task_id":%d,"type":"ground_truth","frame_selection_method":"random_uniform","frame_share":%b}'
    for wrong in (b"NaN", b"1.5", b"0", b"-1", b"1e999", b'"half"', b"[]"):
        answer = http.post("/api/jobs", content=share % (task.id, wrong), headers={"content-type": "application/json"})
        assert (answer.status_code, wrong) == (400, wrong)
    assert http.post("/api/jobs", json=wanted | {"task_id": 999, "frames": [1]}).status_code == 404
    empty = http.post("/api/tasks", json={"name": "empty"}).json()["id"]
    answer = http.post("/api/jobs", json=wanted | {"task_id": empty, "frames": [1]})
    assert (answer.status_code, "no data attached" in answer.text) == (400, True)
    server.add_user(ANN)
    assert server.http(ANN).post("/api/jobs", json=wanted | {"frames": [1]}).status_code == 403
    assert http.get(f"/api/jobs?task_id={task.id}&type=ground_truth").json()["count"] == 0
    assert layout(http, task) == {"mode": None}


def test_one_at_most_until_it_is_deleted(client: Client, http: httpx.Client, create: Create) -> None:
    task = create()
    job = add(client, task, frame_selection_method="manual", frames=[1])
    again = {"task_id": task.id, "type": "ground_truth", "frame_selection_method": "manual", "frames": [2]}
    answer = http.post("/api/jobs", json=again)
    assert (answer.status_code, answer.json()) == (
        400,
        ['Task with validation mode "gt" cannot have more than 1 GT job'],
    )
    delete(client, job)
    task.fetch()
    assert (task.validation_mode, task.jobs.count, layout(http, task)) == (None, 4, {"mode": None})
    assert http.get(f"/api/jobs/{job.id}").status_code == 404
    assert http.post("/api/jobs", json=again).status_code == 201
    annotation = next(found for found in task.get_jobs() if found.type == "annotation")
    assert http.delete(f"/api/jobs/{annotation.id}").status_code == 400


def test_drawing_in_ground_truth(client: Client, http: httpx.Client, create: Create) -> None:
    task = create()
    job = add(client, task, frame_selection_method="manual", frames=[2, 7])
    [label] = task.get_labels()
    shape = {"type": "rectangle", "frame": 7, "label_id": label.id, "points": [1.0, 2.0, 3.0, 4.0]}
    job.set_annotations(models.LabeledDataRequest(shapes=[models.LabeledShapeRequest(**shape)]))
    assert [found.frame for found in job.get_annotations().shapes] == [7]
    assert task.get_annotations().shapes == []
    shape["frame"] = 2
    task.set_annotations(models.LabeledDataRequest(shapes=[models.LabeledShapeRequest(**shape)]))
    assert [found.frame for found in job.get_annotations().shapes] == [7]
    assert [found.frame for found in task.get_annotations().shapes] == [2]
    task.remove_annotations()
    assert len(job.get_annotations().shapes) == 1


def test_pictures_of_ground_truth(client: Client, http: httpx.Client, create: Create, tmp_path: Path) -> None:
    task = create(chunk_size=2)
    job = add(client, task, frame_selection_method="manual", frames=[3, 7, 8])
    url = f"/api/jobs/{job.id}/data"
    frame = http.get(url, params={"type": "frame", "number": 7, "quality": "original"})
    assert frame.content == (tmp_path / "pictures/7.jpg").read_bytes()
    assert http.get(url, params={"type": "frame", "number": 4, "quality": "original"}).status_code == 400
    for chunk, numbers in {"index=0": [3, 7], "index=1": [8], "number=1": [None, 3], "number=4": [8, None]}.items():
        answer = http.get(f"{url}?type=chunk&quality=original&{chunk}")
        assert answer.status_code == 200, answer.text
        archive = zipfile.ZipFile(io.BytesIO(answer.content))
        found = [archive.read(name) for name in sorted(archive.namelist())]
        stored = {number: (tmp_path / f"pictures/{number}.jpg").read_bytes() for number in (3, 7, 8)}
        assert found == [stored.get(number, placeholder_frame()) for number in numbers]
    assert http.get(f"{url}?type=chunk&quality=original&index=2").status_code == 400
    preview = http.get(f"/api/jobs/{job.id}/preview").content
    assert preview != http.get(f"/api/tasks/{task.id}/preview").content
    assert len(client.jobs.retrieve(job.id).get_frames_info()) == 10


def test_a_task_is_done_when_its_ground_truth_is(client: Client, create: Create) -> None:
    task = create({"segment_size": 0})
    truth = add(client, task, frame_selection_method="manual", frames=[3])
    for job in client.jobs.list(task_id=task.id):
        assert task.fetch().status == "annotation"
        job.update({"stage": "acceptance", "state": "completed"})
    task.fetch()
    assert (task.status, task.jobs.count, task.jobs.completed) == ("completed", 2, 2)
    client.jobs.retrieve(truth.id).update({"stage": "validation"})
    task.fetch()
    assert (task.status, task.jobs.completed, task.jobs.validation) == ("validation", 1, 1)
    delete(client, truth)
    assert task.fetch().status == "completed"


def test_ground_truth_from_the_beginning(client: Client, http: httpx.Client, create: Create) -> None:
    by_name = {"mode": "gt", "frame_selection_method": "manual", "frames": ["4.jpg", "1.jpg"]}
    task = create(validation_params=by_name)
    assert (task.validation_mode, task.jobs.count, task.segment_size) == ("gt", 5, 3)
    [job] = client.jobs.list(task_id=task.id, type="ground_truth")
    assert included(http, job) == layout(http, task)["validation_frames"] == [1, 4]
    assert job.id == max(found.id for found in task.get_jobs())
    by_chance = {"mode": "gt", "frame_selection_method": "random_per_job", "frames_per_job_count": 1}
    twins = [create(validation_params=by_chance | {"random_seed": 5}) for _ in range(2)]
    frames = [layout(http, twin)["validation_frames"] for twin in twins]
    assert frames[0] == frames[1]
    assert [frame // 3 for frame in frames[0]] == [0, 1, 2, 3]


def test_ground_truth_of_a_video(client: Client, http: httpx.Client, tmp_path: Path) -> None:
    spec = models.TaskWriteRequest(name="clip", labels=[{"name": "thing"}], segment_size=20, overlap=5)
    params = {"mode": "gt", "frame_selection_method": "random_per_job", "frames_per_job_count": 3, "random_seed": 1}
    clip = write_clip(tmp_path / "clip.mp4", 50)
    data = {"image_quality": 70, "validation_params": params}
    task = client.tasks.create_from_data(spec=spec, resources=[clip], data_params=data)
    [job] = client.jobs.list(task_id=task.id, type="ground_truth")
    frames = included(http, job)
    assert len(frames) == job.frame_count
    assert all(sum(start <= frame <= start + 19 for frame in frames) >= 3 for start in (0, 15, 30))
    chunk = http.get(f"/api/jobs/{job.id}/data?type=chunk&quality=compressed&index=0")
    with zipfile.ZipFile(io.BytesIO(chunk.content)) as archive:
        assert [number_of(archive.read(name)) for name in archive.namelist()] == frames
    assert number_of(http.get(f"/api/jobs/{job.id}/preview").content) == frames[0]
    delete(client, job)
    by_hand = add(client, task, frame_selection_method="manual", frames=[49, 7])
    assert number_of(http.get(f"/api/jobs/{by_hand.id}/data?type=frame&quality=original&number=49").content) == 49
    assert http.get(f"/api/jobs/{by_hand.id}/data?type=frame&quality=original&number=8").status_code == 400
    honeypots = params | {"mode": "gt_pool", "frame_selection_method": "random_uniform", "frame_count": 2}
    spec["overlap"] = 0
    data |= {"validation_params": honeypots, "sorting_method": "random"}
    with pytest.raises(BackgroundRequestException, match='"gt_pool" can only be used with images'):
        client.tasks.create_from_data(spec=spec, resources=[clip], data_params=data)
