"""The handler: from a request to a stored file, which is the request's result."""

from __future__ import annotations

from datetime import datetime

from consumers.handlers.export_dataset.reading import Reader
from consumers.handlers.file_names import made_name, wanted_name
from consumers.handlers.handler import Outcome, Tools
from domain.errors import Invalid
from domain.events.request import RequestQueued
from domain.request import Request
from infra.blobs import Blob
from infra.formats import registry
from infra.formats.model import Dataset
from infra.formats.zips import ZipWriter
from infra.postgres.snapshot import snapshot

CONTENT_TYPE = "application/zip"


def export_dataset(tools: Tools, request: Request) -> Outcome:
    """Writes the file straight into the store of files that come and go. Raises NotFound, Invalid, MediaError."""
    queued, now = request.queued, tools.app.clock()
    exporter = registry.exporter(queued.params["format"])
    if exporter is None or not exporter.format.enabled:
        raise Invalid(f"This server does not write {queued.params['format']}")
    with snapshot(tools.database) as reading:
        dataset = _dataset(Reader(reading, tools.blobs, now), queued)
        blob = _stored(tools, exporter, dataset, save_images=queued.params["save_images"])
    result = {
        "sha256": blob.sha256,
        "size": blob.size,
        "filename": file_name(queued, now),
        "content_type": CONTENT_TYPE,
    }
    return Outcome([], result)


def _dataset(reader: Reader, queued: RequestQueued) -> Dataset:
    if queued.target == "job":
        assert queued.job_id is not None
        return reader.job(queued.job_id)
    if queued.target == "project":
        assert queued.project_id is not None
        return reader.project(queued.project_id)
    assert queued.task_id is not None
    return reader.task(queued.task_id)


def _stored(tools: Tools, exporter: registry.Exporter, dataset: Dataset, *, save_images: bool) -> Blob:
    with tools.exchange.writer() as writer:
        archive = ZipWriter(writer)
        exporter.write(dataset, archive, save_images=save_images)
        archive.close()
        return tools.exchange.commit([writer])[0]


def file_name(queued: RequestQueued, time: datetime) -> str:
    """As asked for, or as CVAT names it: `task_7_annotations_2026_11_20_10_30_00_cvat_for_images_1.1.zip`."""
    if name := wanted_name(queued.params.get("filename"), ".zip"):
        return name
    target_id = {"task": queued.task_id, "job": queued.job_id, "project": queued.project_id}[queued.target]
    words = f"{queued.target}_{target_id}_{queued.subresource}_{time:%Y_%m_%d_%H_%M_%S}_{queued.params['format']}.zip"
    return made_name(words)
