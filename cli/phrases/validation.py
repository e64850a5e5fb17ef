"""What happened to the checking of tasks, in words."""

from __future__ import annotations

from cli.phrases.words import counted, phrase
from domain.events.validation import HoneypotsPlaced, ValidationFramesDisabled, ValidationSetUp


@phrase(ValidationSetUp)
def _(body: ValidationSetUp) -> str:
    return f"set {counted(len(body.frames), 'frame')} of task {body.task_id} aside as ground truth"


@phrase(HoneypotsPlaced)
def _(body: HoneypotsPlaced) -> str:
    return f"placed {counted(len(body.honeypots), 'honeypot')} in task {body.task_id}"


@phrase(ValidationFramesDisabled)
def _(body: ValidationFramesDisabled) -> str:
    return f"disabled {counted(len(body.frames), 'ground truth frame')} of task {body.task_id}"
