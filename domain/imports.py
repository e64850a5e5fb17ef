"""Imports: annotations from a file, into a task or job; and datasets, as new tasks of a project."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from domain.event import Context
from domain.events.request import RequestQueued
from domain.ports import Log
from domain.request import Requests, request_id
from domain.retry import decide_again
from domain.target import Target

MODES = ("replace", "append")


@dataclass(frozen=True)
class SentFile:
    """What is imported: the name that its owner gave it, its blob and its size in bytes."""

    filename: str
    sha256: str
    size: int


class Imports:
    """The use cases of imports."""

    def __init__(self, log: Log) -> None:
        self._log, self._requests = log, Requests(log)

    @decide_again
    def queue(
        self,
        context: Context,
        target: Target,
        format_name: str,
        file: SentFile,
        *,
        conv_mask_to_poly: bool | None = None,
        import_mode: str = "replace",
    ) -> str:
        """Returns the request's id, which is the same for whoever imports into this target.
        `conv_mask_to_poly`: None is as the format has it. `import_mode`: one of MODES. Raises RequestInProgress.
        """
        import_id = self.id(target)
        body = RequestQueued(
            request_id=import_id,
            queue="import",
            action="import",
            target=target.noun,
            subresource=_subresource(target),
            owner_id=context.actor.user_id,
            owner=context.actor.username,
            project_id=target.project_id,
            task_id=target.task_id,
            job_id=target.job_id,
            params={
                "format": format_name,
                **asdict(file),
                "conv_mask_to_poly": conv_mask_to_poly,
                "import_mode": import_mode,
            },
        )
        self._log.record(context, [body], {body.stream: self._requests.free(import_id)})
        return import_id

    def check_free(self, target: Target) -> None:
        """Before a file is sent. Raises RequestInProgress."""
        self._requests.free(self.id(target))

    @staticmethod
    def id(target: Target) -> str:
        return request_id(action="import", target=target.noun, target_id=target.id, subresource=_subresource(target))


def _subresource(target: Target) -> str:
    """A project's annotations are those of its tasks; what it gets is new tasks."""
    return "dataset" if target.noun == "project" else "annotations"
