"""Honeypots: pools of ground truth, through CVAT's own client (CVAT contract 3.4)."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from cvat_sdk import Client, models
from cvat_sdk.core.exceptions import BackgroundRequestException
from cvat_sdk.core.proxies.tasks import Task
from numpy.random import MT19937, Generator

from domain.event import SYSTEM, Context
from infra.eventlog.reader import LogReader
from projections.registry import REGISTRY
from projections.sample import verify_sample
from projections.verify import verify

from .conftest import Server
from .pictures import decode
from .validated_tasks import ANN, Create, add, creator, delete, included, layout, names


@pytest.fixture
def create(client: Client, tmp_path: Path) -> Create:
    return creator(client, tmp_path)


def pooled(create: Create, **how: Any) -> Task:
    """Ten frames of which four are the pool; six are in two jobs, each with two honeypots."""
    params = {"mode": "gt_pool", "frame_selection_method": "random_uniform", "frame_count": 4, "random_seed": 42}
    return create(sorting_method="random", validation_params=params | {"frames_per_job_count": 2} | how)


def test_honeypots(client: Client, http: httpx.Client, create: Create) -> None:
    task = pooled(create)
    assert (task.validation_mode, task.size, task.segment_size, task.overlap) == ("gt_pool", 14, 0, 0)
    jobs = sorted(task.get_jobs(), key=lambda job: job.id)
    assert [(job.type, job.start_frame, job.stop_frame, job.frame_count) for job in jobs] == [
        ("annotation", 0, 4, 5), ("annotation", 5, 9, 5), ("ground_truth", 0, 13, 4),
    ]  # fmt: skip
    seen = layout(http, task)
    assert (seen["mode"], seen["frames_per_job_count"], seen["honeypot_count"]) == ("gt_pool", 2, 4)
    assert seen["validation_frames"] == included(http, jobs[2]) == [10, 11, 12, 13]
    meta = http.get(f"/api/tasks/{task.id}/data/meta").json()
    assert (meta["size"], meta["start_frame"], meta["stop_frame"], meta["frame_filter"]) == (14, 0, 13, "")
    shown = names(http, task)
    assert set(shown) == {f"{n}.jpg" for n in range(10)}
    for frame, real in zip(seen["honeypot_frames"], seen["honeypot_real_frames"], strict=True):
        assert shown[frame] == shown[real]
    assert sorted(seen["honeypot_real_frames"]) == [10, 11, 12, 13]
    of_jobs = [layout(http, job) for job in jobs]
    assert [found["honeypot_count"] for found in of_jobs] == [2, 2, 0]
    assert [frame for found in of_jobs for frame in found["honeypot_frames"]] == seen["honeypot_frames"]
    drawn = Generator(MT19937(42)).choice(range(10), size=4, shuffle=False, replace=False)
    assert shown[10:] == [f"{n}.jpg" for n in drawn]
    assert names(http, pooled(create)) == shown
    answer = http.delete(f"/api/jobs/{jobs[2].id}")
    assert (answer.status_code, answer.json()) == (
        400,
        ['GT jobs cannot be removed when task validation mode is "gt_pool"'],
    )


def test_honeypots_among_selected_frames_with_replicas(http: httpx.Client, create: Create) -> None:
    how = {"mode": "gt_pool", "frame_selection_method": "manual", "frames": ["5.jpg"], "frames_per_job_share": 0.5}
    selected = {"start_frame": 1, "frame_step": 2, "sorting_method": "random"}
    task = create({"segment_size": 2, "consensus_replicas": 2}, validation_params=how, **selected)
    meta = http.get(f"/api/tasks/{task.id}/data/meta").json()
    assert (meta["size"], meta["start_frame"], meta["stop_frame"], meta["frame_filter"]) == (7, 0, 6, "")
    shown = names(http, task)
    assert sorted(shown) == ["1.jpg", "3.jpg", "5.jpg", "5.jpg", "5.jpg", "7.jpg", "9.jpg"]
    jobs = sorted(task.get_jobs(), key=lambda job: job.id)
    assert [(job.type, job.start_frame, job.stop_frame) for job in jobs] == [
        *[("annotation", 0, 2), ("replica", 0, 2), ("replica", 0, 2)],
        *[("annotation", 3, 5), ("replica", 3, 5), ("replica", 3, 5)],
        ("ground_truth", 0, 6),
    ]
    assert [layout(http, job)["honeypot_count"] for job in jobs] == [1, 1, 1, 1, 1, 1, 0]


def test_the_pool_is_part_of_the_tasks_annotations(client: Client, create: Create) -> None:
    task = pooled(create)
    [label] = task.get_labels()
    shape = {"type": "rectangle", "label_id": label.id, "points": [1.0, 2.0, 3.0, 4.0]}
    shapes = [models.LabeledShapeRequest(frame=frame, **shape) for frame in (0, 9, 10, 13)]
    task.set_annotations(models.LabeledDataRequest(shapes=shapes))
    assert [found.frame for found in task.get_annotations().shapes] == [0, 9, 10, 13]
    jobs = sorted(task.get_jobs(), key=lambda job: job.id)
    assert [[found.frame for found in job.get_annotations().shapes] for job in jobs] == [[0], [9], [10, 13]]


def test_honeypots_show_something_else(http: httpx.Client, server: Server, create: Create, tmp_path: Path) -> None:
    task = pooled(create)
    first = min(task.get_jobs(), key=lambda job: job.id)
    [frame, other] = layout(http, first)["honeypot_frames"]
    [was, other_was] = layout(http, first)["honeypot_real_frames"]
    to = next(real for real in range(10, 14) if real not in (was, other_was))
    chunk = f"/api/jobs/{first.id}/data?type=chunk&quality=original&index=0"
    before = http.get(chunk).content
    url = f"/api/jobs/{first.id}/validation_layout"
    body = {"frame_selection_method": "manual", "honeypot_real_frames": [to, other_was]}
    answer = http.patch(url, json=body)
    assert answer.json() == {
        "honeypot_count": 2, "honeypot_frames": [frame, other], "honeypot_real_frames": [to, other_was],
    }  # fmt: skip
    shown = names(http, task)
    assert shown[frame] == shown[to]
    archive = zipfile.ZipFile(io.BytesIO(http.get(chunk).content))
    assert http.get(chunk).content != before
    picture = archive.read(sorted(archive.namelist())[frame])
    assert picture == (tmp_path / "pictures" / shown[to]).read_bytes()
    assert decode(picture).shape == (24, 32, 3)
    disabled = http.patch(f"/api/tasks/{task.id}/validation_layout", json={"disabled_frames": [to]})
    assert disabled.json()["disabled_frames"] == [to]
    assert http.patch(url, json=body).json() == [f"Not active validation frames: {to}"]
    for _ in range(3):
        redrawn = http.patch(
            f"/api/tasks/{task.id}/validation_layout", json={"frame_selection_method": "random_uniform"}
        ).json()
        assert to not in redrawn["honeypot_real_frames"]
    shown = names(http, task)
    assert all(
        shown[f] == shown[r] for f, r in zip(redrawn["honeypot_frames"], redrawn["honeypot_real_frames"], strict=True)
    )
    wrong: list[dict[str, Any]] = [
        {}, {"frame_selection_method": "random_per_job"}, {"frame_selection_method": "manual"},
        {"frame_selection_method": "random_uniform", "honeypot_real_frames": [to]},
        {"frame_selection_method": "manual", "honeypot_real_frames": [to]},
    ]  # fmt: skip
    assert [http.patch(url, json=body).status_code for body in wrong] == [400] * len(wrong)
    first.update({"assignee": server.add_user(ANN)})
    assert server.http(ANN).get(url).status_code == 403
    assert server.http(ANN).get(f"/api/jobs/{first.id}").status_code == 200


def test_honeypots_that_cannot_be(http: httpx.Client, client: Client, create: Create) -> None:
    for how, message in [
        ({"frame_count": 10}, "must be less than the number of task frames"),
        ({"frames_per_job_count": 5}, "greater than the validation pool size"),
    ]:
        with pytest.raises(BackgroundRequestException, match=message):
            pooled(create, **how)
    with pytest.raises(BackgroundRequestException, match="cannot be used with an overlap"):
        create(
            {"overlap": 1},
            sorting_method="random",
            validation_params={
                "mode": "gt_pool", "frame_selection_method": "random_uniform", "frame_count": 1,
                "frames_per_job_count": 1,
            },
        )  # fmt: skip
    assert http.get("/api/jobs").json()["count"] == 0


def test_what_is_seen_is_what_the_log_says(client: Client, http: httpx.Client, server: Server, create: Create) -> None:
    task = pooled(create)
    http.patch(f"/api/tasks/{task.id}/validation_layout", json={"frame_selection_method": "random_uniform"})
    http.patch(f"/api/tasks/{task.id}/validation_layout", json={"disabled_frames": [11]})
    other = create({"consensus_replicas": 2})
    for _ in range(2):
        job = add(client, other, frame_selection_method="random_uniform", frame_share=0.5)
        delete(client, job)
    server.system.app.jobs.restore(Context(SYSTEM), job.id)
    gone = pooled(create)
    gone.remove()
    server.system.app.tasks.purge(Context(SYSTEM), gone.id)
    assert layout(http, other)["mode"] == "gt"
    with server.system.database.connect() as connection:
        of_all = (connection, LogReader(), list(REGISTRY.values()), server.services.blobs)
        findings = [*verify(*of_all).findings, *verify_sample(*of_all).findings]
    assert [finding for finding in findings if not finding.equal] == []
    assert {"table validation", "table honeypots"} <= {finding.subject for finding in findings}


def test_the_generated_client_reads_and_writes_layouts(client: Client, create: Create) -> None:
    tasks, jobs = client.api_client.tasks_api, client.api_client.jobs_api
    plain, task = create(), pooled(create)
    assert tasks.retrieve_validation_layout(plain.id)[0].mode is None
    assert jobs.retrieve_validation_layout(plain.get_jobs()[0].id)[0].to_dict() == {}
    first = min(task.get_jobs(), key=lambda job: job.id)
    method = models.FrameSelectionMethod("random_uniform")
    change = models.PatchedTaskValidationLayoutWriteRequest(disabled_frames=[10, 12], frame_selection_method=method)
    layout, _ = tasks.partial_update_validation_layout(task.id, patched_task_validation_layout_write_request=change)
    assert (str(layout.mode), layout.disabled_frames, layout.honeypot_count) == ("gt_pool", [10, 12], 4)
    assert set(layout.honeypot_real_frames) == {11, 13}
    real = layout.honeypot_real_frames[:2][::-1]
    by_hand = models.PatchedJobValidationLayoutWriteRequest(
        frame_selection_method=models.FrameSelectionMethod("manual"), honeypot_real_frames=real
    )
    changed, _ = jobs.partial_update_validation_layout(first.id, patched_job_validation_layout_write_request=by_hand)
    assert (changed.honeypot_count, changed.honeypot_real_frames) == (2, real)
    assert changed.honeypot_frames == layout.honeypot_frames[:2]
