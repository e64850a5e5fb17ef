"""Tracks with skeletons and with keyframes where nothing shows: out by track, and in again."""

from __future__ import annotations

import pytest

from domain.annotation.document import Document

from .desk import Desk
from .test_video_projects import CVAT, VIDEO, box, point, track


@pytest.fixture
def walked(desk: Desk, task: int) -> Document:
    """A car that comes and goes, over all jobs, and somebody with points that hide one by one."""
    car, person, head, foot = (desk.label(task, name) for name in ("car", "person", "head", "foot"))
    whole = [{"type": "skeleton", "frame": frame, "points": [], "outside": frame == 8} for frame in (1, 5, 8)]
    points = [
        track(head, point(1, 2), point(4, 8, outside=True), point(5, 9), point(8, 9, outside=True)),
        track(foot, point(1, 4, outside=True), point(2, 6, occluded=True), point(8, 6, outside=True)),
    ]
    driving = [box(0), box(2, 9, outside=True), box(4, 12), box(9, 22)]
    desk.draw(task, {"tracks": [track(car, *driving, group=3), track(person, *whole, elements=points)]})
    return desk.drawn(task)


def test_a_task_comes_back(desk: Desk, task: int, walked: Document) -> None:
    target = desk.target("task", task)
    content = desk.exported(target, VIDEO).read_bytes()
    desk.draw(task, {})
    request_id = desk.send(target, CVAT, content)
    assert desk.wait(request_id) == "finished", desk.message(request_id)
    assert desk.drawn(task) == walked


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_job_comes_back(desk: Desk, task: int, walked: Document, index: int) -> None:
    job = desk.jobs(task)[index]
    before, target = desk.drawn_in_job(job), desk.target("job", job)
    assert len(before["tracks"]) == 2
    content = desk.exported(target, VIDEO).read_bytes()
    desk.draw(task, {})
    request_id = desk.send(target, CVAT, content)
    assert desk.wait(request_id) == "finished", desk.message(request_id)
    assert desk.drawn_in_job(job) == before
