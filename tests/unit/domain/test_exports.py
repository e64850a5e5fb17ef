"""Asking for exports."""

from __future__ import annotations

import pytest

from domain.errors import RequestInProgress
from domain.event import Actor, Context
from domain.events.request import RequestFinished, RequestQueued, RequestStarted
from domain.exports import Exports
from domain.target import Target

from .given import ANN
from .memory_log import MemoryLog

TASK = Target("task", project_id=3, task_id=7)
ID = "action=export&target=task&target_id=7&user_id=1&format=COCO_1~0&subresource=annotations"


def queue(log: MemoryLog, context: Context = ANN, *, save_images: bool = False) -> str:
    return Exports(log).queue(context, TASK, "COCO 1.0", save_images=save_images, filename="mine.zip")


def test_an_export_is_queued(log: MemoryLog) -> None:
    assert queue(log) == ID
    params = {"format": "COCO 1.0", "save_images": False, "filename": "mine.zip"}
    assert log.then == [
        RequestQueued(ID, "export", "export", "task", "annotations", 1, "ann", 3, 7, None, params),
    ]


def test_with_images_it_is_another_request(log: MemoryLog) -> None:
    assert queue(log, save_images=True) == ID.replace("annotations", "dataset")


def test_what_is_being_worked_on_is_not_queued_again(log: MemoryLog) -> None:
    queue(log)
    for body in ([], [RequestStarted(ID, "agent", 1)]):
        log.given(*body)
        with pytest.raises(RequestInProgress):
            queue(log)


def test_somebody_else_has_a_request_of_their_own(log: MemoryLog) -> None:
    queue(log)
    assert "user_id=2" in queue(log, Context(Actor(2, "bob")))


def test_what_is_finished_is_done_again(log: MemoryLog) -> None:
    queue(log)
    log.given(RequestStarted(ID, "agent", 1), RequestFinished(ID, 7, {"sha256": "ab"}))
    assert queue(log) == ID
    assert isinstance(log.then[-1], RequestQueued)


@pytest.mark.parametrize(
    ("target", "target_id"),
    [(Target("project", 3), 3), (Target("task", 3, 7), 7), (Target("job", 3, 7, 5), 5)],
)
def test_a_target_has_the_id_of_its_own_noun(target: Target, target_id: int) -> None:
    assert target.id == target_id
