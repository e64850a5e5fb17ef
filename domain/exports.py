"""Exports: annotations, with or without the images they are on, as a file that is made on request."""

from __future__ import annotations

from domain.event import Context
from domain.events.request import RequestQueued
from domain.ports import Log
from domain.request import Requests, request_id
from domain.retry import decide_again
from domain.target import Target


class Exports:
    """The use cases of exports."""

    def __init__(self, log: Log) -> None:
        self._log, self._requests = log, Requests(log)

    @decide_again
    def queue(
        self, context: Context, target: Target, format_name: str, *, save_images: bool, filename: str | None = None
    ) -> str:
        """Returns the request's id, which is the same every time that this user asks for the same. One that is finished
        is done again. Raises RequestInProgress.
        """
        subresource = "dataset" if save_images else "annotations"
        export_id = request_id(
            action="export",
            target=target.noun,
            target_id=target.id,
            user_id=context.actor.user_id,
            format=format_name,
            subresource=subresource,
        )
        body = RequestQueued(
            request_id=export_id,
            queue="export",
            action="export",
            target=target.noun,
            subresource=subresource,
            owner_id=context.actor.user_id,
            owner=context.actor.username,
            project_id=target.project_id,
            task_id=target.task_id,
            job_id=target.job_id,
            params={"format": format_name, "save_images": save_images, "filename": filename},
        )
        self._log.record(context, [body], {body.stream: self._requests.free(export_id)})
        return export_id
