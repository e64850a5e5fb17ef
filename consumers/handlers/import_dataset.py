"""Brings a dataset into a project: a new task for each of its subsets, with images and annotations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath

from consumers.handlers.create_task.pictures import prepare_pictures
from consumers.handlers.create_task.sources import Files
from consumers.handlers.create_task.storing import store
from consumers.handlers.datasets import SQL, label_rows, labels_from
from consumers.handlers.handler import Outcome, Tools
from consumers.handlers.import_annotations import importer_of, with_polygons
from domain import task as tasks
from domain.annotation.document import LabelSpecs
from domain.data import Prepared
from domain.data_params import parse_data_params
from domain.errors import MediaError, NotFound
from domain.event import Body
from domain.events.data import ReceivedFile
from domain.events.job import JobCreated
from domain.events.request import RequestQueued
from domain.events.task import TaskCreated
from domain.media import Media
from domain.ports import JobPlace
from domain.request import Request
from infra.archives import Archive
from infra.blobs import BlobStore
from infra.formats.images import Images
from infra.formats.model import Frame, Labels
from infra.formats.registry import Importer
from infra.formats.target import Frames, Target
from infra.formats.zips import is_zip, sent_zip
from infra.postgres.snapshot import snapshot

PARAMS = {"image_quality": 70, "sorting_method": "predefined"}
"""Of the new tasks, as CVAT has it; the images keep the dataset's order."""


def import_dataset(tools: Tools, request: Request) -> Outcome:
    """Raises NotFound, Invalid, MediaError, TooLarge."""
    queued, params = request.queued, request.queued.params
    assert queued.project_id is not None
    importer = importer_of(params)
    _, version = tools.app.projects.require(queued.project_id)
    path, name = tools.exchange.path(params["sha256"]), params["filename"]
    if not is_zip(path):
        raise MediaError(f"{name} is no zip archive: a dataset has images beside its annotations")
    subsets = importer.listed(path, name)
    if not any(subsets.values()):
        raise MediaError(f"{name} tells of no images")
    events: list[Body] = []
    with sent_zip(path, name) as archive:
        importing = _Importing(tools, queued, importer, archive)
        for subset, names in subsets.items():
            events += importing.task(subset, list(dict.fromkeys(names)))
    # The project may be deleted meanwhile, or its labels.
    return Outcome(events, expect={f"project-{queued.project_id}": version})


class _Importing:
    """One import: what all new tasks have in common."""

    def __init__(self, tools: Tools, queued: RequestQueued, importer: Importer, archive: Archive) -> None:
        self._tools, self._queued, self._importer, self._archive = tools, queued, importer, archive
        self._images = Images(archive.names, queued.params["filename"])
        with snapshot(tools.database) as reading:
            rows = reading.query(SQL["project"], {"project_id": queued.project_id})
            if not rows:
                raise NotFound(f"Project {queued.project_id} was deleted")
            self._project = rows[0]
            labels = label_rows(reading, self._project["label_stream"])
        self._labels: Labels = labels_from(labels)
        self._specs = LabelSpecs.from_rows(labels)

    def task(self, subset: str, names: Sequence[str]) -> list[Body]:
        """The events that make a task of one subset."""
        created = self._created(subset)
        task = tasks.evolve(None, created)
        assert task is not None
        entries = self._images.find(subset, names)
        images = {_with_suffix(name, entry): entry for name, entry in entries.items()}
        source = _Entries(self._archive, images, self._tools.blobs)
        prepared = prepare_pictures(
            self._tools, task, parse_data_params(PARAMS), Files(source, Media(list(images)), None)
        )
        data = self._tools.app.data.prepared(task, prepared)
        return [created, *data, *self._annotations(subset, prepared, data)]

    def _created(self, subset: str) -> TaskCreated:
        """Named for the subset; it belongs to whom the project belongs, as in CVAT."""
        return TaskCreated(
            task_id=self._tools.app.ids.one("task"),
            project_id=self._queued.project_id,
            name=subset,
            owner_id=self._project["owner_id"],
            assignee_id=None,
            bug_tracker="",
            subset=subset,
            segment_size=0,
            overlap=None,
            consensus_replicas=0,
            organization_id=self._project["organization_id"],
            source_storage=None,
            target_storage=None,
        )

    def _annotations(self, subset: str, prepared: Prepared, data: Sequence[Body]) -> list[Body]:
        params = self._queued.params
        frames = (
            Frame(number, number, frame["name"], frame["width"], frame["height"])
            for number, frame in enumerate(prepared.frames)
        )
        target = Target(self._labels, Frames(frames))
        path = self._tools.exchange.path(params["sha256"])
        document = self._importer.read(path, params["filename"], target, subset)
        document = with_polygons(document, self._importer, params)
        places = [_place(body, self._specs) for body in data if isinstance(body, JobCreated)]
        return self._tools.app.annotations.prepared(places, document, append=True)


class _Entries:
    """Images in an archive. `entries`: name → entry."""

    def __init__(self, archive: Archive, entries: Mapping[str, str], blobs: BlobStore) -> None:
        self._archive, self._entries, self._blobs = archive, entries, blobs

    @property
    def names(self) -> Sequence[str]:
        return list(self._entries)

    def fetch(self, names: Collection[str]) -> Mapping[str, ReceivedFile]:
        stored = store(self._blobs, self._archive.read([self._entries[name] for name in names]))
        return {name: ReceivedFile(**{**stored[self._entries[name]], "name": name}) for name in names}


def _with_suffix(name: str, entry: str) -> str:
    """Frames of videos are named without one."""
    suffix = PurePosixPath(entry).suffix
    return name if PurePosixPath(name).suffix.lower() == suffix.lower() else f"{name}{suffix}"


def _place(job: JobCreated, labels: LabelSpecs) -> JobPlace:
    return JobPlace(job.job_id, job.task_id, job.project_id, job.start_frame, job.stop_frame, labels)
