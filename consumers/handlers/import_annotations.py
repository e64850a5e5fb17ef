"""Brings annotations from a file into a task or job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from consumers.handlers.datasets import frames_of, honeypots_of, job_row, labels_of, task_row
from consumers.handlers.handler import Outcome, Tools
from domain.annotation.document import Document
from domain.errors import Invalid, NotFound
from domain.events.request import RequestQueued
from domain.ports import JobPlace
from domain.request import Request
from infra.formats import masks, registry
from infra.formats.registry import Importer
from infra.formats.target import Frames, Target
from infra.postgres.snapshot import Snapshot, snapshot


def import_annotations(tools: Tools, request: Request) -> Outcome:
    """What stood there gives way, unless the mode is append. Raises NotFound, Invalid, MediaError, TooLarge."""
    queued, params = request.queued, request.queued.params
    importer = importer_of(params)
    with snapshot(tools.database) as reading:
        target = _target(reading, queued)
    document = importer.read(tools.exchange.path(params["sha256"]), params["filename"], target)
    document = with_polygons(document, importer, params)
    places = _places(tools, queued)
    events = tools.app.annotations.prepared(places, document, append=params["import_mode"] == "append")
    # The task may be deleted meanwhile, or its labels.
    return Outcome(events, expect=places[0].versions)


def importer_of(params: dict[str, Any]) -> Importer:
    """Raises Invalid."""
    importer = registry.importer(params["format"])
    if importer is None or not importer.format.enabled:
        raise Invalid(f"This server does not read {params['format']}")
    return importer


def with_polygons(document: Document, importer: Importer, params: dict[str, Any]) -> Document:
    """With polygons for masks, where that is asked for or usual with the format. Raises MediaError."""
    wanted = params["conv_mask_to_poly"]
    return masks.as_polygons(document) if (not importer.keeps_masks if wanted is None else wanted) else document


def _target(reading: Snapshot, queued: RequestQueued) -> Target:
    if queued.target == "job":
        assert queued.job_id is not None
        job = job_row(reading, queued.job_id)
        row = task_row(reading, job["task_id"])
        numbers: Sequence[int] = job["included"] or range(job["start_frame"], job["stop_frame"] + 1)
    else:
        assert queued.task_id is not None
        row = task_row(reading, queued.task_id)
        numbers = range(row["size"])
    repeats = honeypots_of(reading, row["id"])
    frames = frames_of(reading, row, [number for number in numbers if number not in repeats] if repeats else numbers)
    return Target(labels_of(reading, row["label_stream"]), Frames(frames))


def _places(tools: Tools, queued: RequestQueued) -> list[JobPlace]:
    """The jobs that it goes to. Raises NotFound."""
    if queued.target == "job":
        assert queued.job_id is not None
        return [tools.app.lookup.job_place(queued.job_id, fresh=True)]
    assert queued.task_id is not None
    places = tools.app.lookup.task_places(queued.task_id)
    if not places:
        raise NotFound(f"Task {queued.task_id} was deleted")
    return places
