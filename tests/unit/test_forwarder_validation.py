"""What analysts see of ground truth and honeypots."""

from __future__ import annotations

from consumers.forwarder.transform.row import Row, rows_of
from domain.events.validation import Honeypot, HoneypotsPlaced, ValidationFramesDisabled, ValidationSetUp

from .domain import given


def test_frames_set_aside() -> None:
    assert rows_of(ValidationSetUp(7, None, 9, "gt_pool", [4, 5], 1)) == [
        Row(
            "create:validation", "mode", obj_val="gt_pool", amount=2,
            payload={"mode": "gt_pool", "frames_per_job_count": 1, "frames": 2},
        )
    ]  # fmt: skip


def test_honeypots_and_disabled_frames_are_counted() -> None:
    honeypots = [Honeypot(frame=1, real_frame=4, picture=given.frame("a.jpg"))]
    assert rows_of(HoneypotsPlaced(7, None, honeypots)) == [Row("place:honeypots", amount=1, payload={"honeypots": 1})]
    assert rows_of(ValidationFramesDisabled(7, None, [4, 5])) == [
        Row("disable:validation_frames", amount=2, payload={"frames": 2})
    ]
