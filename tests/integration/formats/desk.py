"""What somebody does who takes annotations out and in."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import orjson
from PIL import Image

from cli.bootstrap import System
from domain.annotation.document import Document
from domain.data import creation_id
from domain.event import Actor, Context
from domain.events.data import ReceivedFile
from domain.imports import SentFile
from domain.project import NewProject
from domain.target import Target
from domain.task import NewTask
from infra.blobs import FileBlobs
from infra.settings import Settings
from projections import annotation_documents

from ...waiting import wait_until

ANN = Context(Actor(7, "ann"), correlation_id="the-http-request")
LABELS: list[dict[str, Any]] = [
    {"name": "car", "attributes": [
        {"name": "color", "input_type": "select", "mutable": False, "values": ["red", "blue"]},
        {"name": "parked", "input_type": "checkbox", "mutable": True, "values": ["false"]},
    ]},
    {"name": "person", "type": "skeleton", "sublabels": [
        {"name": "head", "type": "points"}, {"name": "foot", "type": "points"},
    ]},
]  # fmt: skip


class Desk:
    """Asks for exports and imports, and waits for them."""

    def __init__(self, system: System, settings: Settings) -> None:
        self.app, self.database = system.app, system.database
        self.blobs, self.exchange = FileBlobs(settings.blobs), FileBlobs(settings.exchange)

    def project(self, name: str, labels: list[dict[str, Any]]) -> int:
        return self.app.projects.create(ANN, NewProject(name, labels))

    def task(
        self,
        name: str,
        labels: list[dict[str, Any]],
        *,
        frames: int = 3,
        params: dict[str, Any] | None = None,
        **fields: Any,
    ) -> int:
        """With pictures of different colors."""
        files = {f"{number:02}.jpg": _picture(number) for number in range(frames)}
        return self.new_task(NewTask(name, labels, **fields), files, params or {"image_quality": 70})

    def new_task(self, wanted: NewTask, files: dict[str, bytes], params: dict[str, Any]) -> int:
        task_id = self.app.tasks.create(ANN, wanted)
        self.app.data.submit(ANN, task_id, params, [self._received(*file) for file in files.items()])
        assert self.wait(creation_id(task_id)) == "finished", self.message(creation_id(task_id))
        return task_id

    def jobs(self, task_id: int) -> list[int]:
        return self.app.lookup.jobs_of([task_id])[task_id]

    def label(self, task_id: int, name: str) -> int:
        statement = (
            b"SELECT l.id FROM labels l, tasks t WHERE t.id = %s AND l.name = %s"
            b" AND l.stream = label_stream(t.id, t.project_id)"
        )
        return int(self.database.query(statement, (task_id, name))[0]["id"])

    def draw(self, task_id: int, document: dict[str, Any]) -> None:
        self.app.annotations.replace_in_task(ANN, task_id, document)

    def drawn(self, task_id: int) -> Document:
        return without_ids(annotation_documents.of_task(self.database.query, task_id))

    def drawn_in_job(self, job_id: int) -> Document:
        return without_ids(orjson.loads(annotation_documents.of_job(self.database.query, job_id, 0)))

    def target(self, noun: str, own_id: int) -> Target:
        return Target(noun, **{f"{noun}_id": own_id})

    def export(
        self, target: Target, format_name: str, *, save_images: bool = False, filename: str | None = None
    ) -> str:
        """The id of the finished request."""
        request_id = self.app.exports.queue(ANN, target, format_name, save_images=save_images, filename=filename)
        assert self.wait(request_id) == "finished", self.message(request_id)
        return request_id

    def exported(self, target: Target, format_name: str, *, save_images: bool = False) -> Path:
        """The file."""
        return self.exchange.path(self.result(self.export(target, format_name, save_images=save_images))["sha256"])

    def result(self, request_id: str) -> dict[str, Any]:
        return dict(self.row(request_id)["result"])

    def imported(self, target: Target, format_name: str, content: bytes, **options: Any) -> str:
        """The status of the ended request."""
        return self.wait(self.send(target, format_name, content, **options))

    def send(self, target: Target, format_name: str, content: bytes, **options: Any) -> str:
        blob = self.exchange.put([content])
        return self.app.imports.queue(ANN, target, format_name, SentFile("sent.zip", blob.sha256, blob.size), **options)

    def message(self, request_id: str) -> str:
        return str(self.row(request_id)["message"])

    def row(self, request_id: str) -> dict[str, Any]:
        return self.database.query(b"SELECT * FROM requests WHERE id = %s", (request_id,))[0]

    def wait(self, request_id: str) -> str:
        wait_until(lambda: self.row(request_id)["status"] in ("finished", "failed"))
        return str(self.row(request_id)["status"])

    def _received(self, name: str, content: bytes) -> ReceivedFile:
        blob = self.blobs.put([content])
        return ReceivedFile(name=name, sha256=blob.sha256, size=blob.size)


def _picture(number: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (number % 256, number // 256, 0)).save(out, "JPEG")
    return out.getvalue()


def without_ids(value: Any) -> Any:
    """The document, whatever its ids."""
    if isinstance(value, list):
        return [without_ids(item) for item in value]
    if isinstance(value, dict):
        return {key: without_ids(part) for key, part in value.items() if key not in ("id", "version")}
    return value
