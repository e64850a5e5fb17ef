"""How work is checked: CVAT has no scopes for it; these are our own."""

from __future__ import annotations

from consumers.forwarder.transform.row import Row, countable, described, transforms
from domain.events.validation import HoneypotsPlaced, ValidationFramesDisabled, ValidationSetUp


@transforms(ValidationSetUp)
def set_up(body: ValidationSetUp) -> list[Row]:
    """`count`: frames."""
    payload = described(body, "mode", "frames_per_job_count") | {"frames": len(body.frames)}
    return [Row("create:validation", "mode", obj_val=body.mode, amount=countable(len(body.frames)), payload=payload)]


@transforms(HoneypotsPlaced)
def honeypots_placed(body: HoneypotsPlaced) -> list[Row]:
    """`count`: honeypots."""
    number = len(body.honeypots)
    return [Row("place:honeypots", amount=countable(number), payload={"honeypots": number})]


@transforms(ValidationFramesDisabled)
def frames_disabled(body: ValidationFramesDisabled) -> list[Row]:
    """`count`: frames."""
    number = len(body.frames)
    return [Row("disable:validation_frames", amount=countable(number), payload={"frames": number})]
