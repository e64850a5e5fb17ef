"""What is exported, read from one snapshot of the projections while it is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson

from consumers.handlers.datasets import SQL, frames_of, honeypots_of, job_row, labels_of, task_row
from consumers.handlers.export_dataset.pictures import pictures
from domain.annotation.document import Item
from domain.annotation.merge import merge
from domain.errors import MediaError, NotFound
from infra.blobs import BlobStore
from infra.formats.model import Dataset, Drawn, Part, Person, Project, Segment, Task, step_of
from infra.formats.names import told_apart
from infra.postgres.snapshot import Snapshot
from projections.named_queries import queries

Row = dict[str, Any]
_frame, _job = itemgetter("frame"), itemgetter("job_id")


@dataclass(frozen=True)
class Place:
    """One job's annotations and its first and last frame."""

    job_id: int
    start: int
    stop: int


@dataclass(frozen=True)
class Reader:
    """Reads datasets for one export."""

    reading: Snapshot
    blobs: BlobStore
    now: datetime

    def task(self, task_id: int) -> Dataset:
        """Raises NotFound, and MediaError when the task has no data."""
        row = task_row(self.reading, task_id)
        return self._dataset("task", task_id, row["label_stream"], [self._whole(row)])

    def job(self, job_id: int) -> Dataset:
        """Raises NotFound."""
        job = job_row(self.reading, job_id)
        row = task_row(self.reading, job["task_id"])
        numbers = job["included"] or range(job["start_frame"], job["stop_frame"] + 1)
        jobs = [other for other in self._jobs(row["id"]) if other["id"] == job_id]
        place = Place(job_id, job["start_frame"], job["stop_frame"])
        part = self._part(row, numbers, [place], jobs)
        part = replace(part, task=_with_frames_of(job, len(numbers), part.task))
        return self._dataset("job", job_id, row["label_stream"], [part])

    def project(self, project_id: int) -> Dataset:
        """Of all tasks with data. Raises NotFound, and MediaError when there are none."""
        for row in self.reading.query(SQL["project"], {"project_id": project_id}):
            parts = told_apart([self._whole(task_row(self.reading, task_id)) for task_id in self._tasks(project_id)])
            if not parts:
                raise MediaError(f"No task of project {project_id} has data yet")
            return self._dataset("project", project_id, row["label_stream"], parts, _project(row))
        raise NotFound(f"Project {project_id} was deleted")

    def _dataset(
        self, target: str, target_id: int, stream: str, parts: Sequence[Part], project: Project | None = None
    ) -> Dataset:
        subsets = tuple(dict.fromkeys(part.subset for part in parts))
        labels = labels_of(self.reading, stream)
        return Dataset(target, target_id, labels, parts, self.now, project, subsets if project else ())

    def _tasks(self, project_id: int) -> list[int]:
        return [row["id"] for row in self.reading.query(SQL["tasks_with_data"], {"project_id": project_id})]

    def _jobs(self, task_id: int) -> list[Row]:
        return self.reading.query(SQL["jobs"], {"task_id": task_id})

    def _whole(self, row: Row) -> Part:
        """A task, of all the jobs that its annotations are in."""
        found = self.reading.query(queries("lookup")["task_places"], {"task_id": row["id"]})
        places = [Place(place["id"], place["start_frame"], place["stop_frame"]) for place in found]
        jobs = [job for job in self._jobs(row["id"]) if job["type"] == "annotation"]
        return self._part(row, range(row["size"]), places, jobs)

    def _part(self, row: Row, numbers: Sequence[int], places: Sequence[Place], jobs: Sequence[Row]) -> Part:
        without = honeypots_of(self.reading, row["id"]).union(row["deleted_frames"])
        shown = [number for number in numbers if number not in without] if without else numbers
        left_out = sorted(without.intersection(numbers)) if without else ()
        drawn = {"job_ids": [place.job_id for place in places], "label_stream": row["label_stream"]}
        return Part(
            task=_task(row, jobs, left_out),
            frames=partial(frames_of, self.reading, row, shown),
            drawn=partial(self._drawn, drawn),
            tracks=partial(self._tracks, drawn, places),
            pictures=partial(pictures, self.reading, self.blobs, row, shown),
        )

    def _drawn(self, params: dict[str, Any]) -> Iterator[Drawn]:
        """Where several jobs have a frame, what they both hold is there once."""
        for frame, rows in groupby(self.reading.stream(SQL["drawn"], params), key=_frame):
            documents = []
            for _, of_job in groupby(rows, key=_job):
                documents.append({row["kind"]: orjson.loads(f"[{row['docs']}]") for row in of_job})
            found = documents[0]
            if len(documents) > 1:
                found = merge([(frame, frame, document) for document in documents])
            yield Drawn(frame, found.get("shapes", []), found.get("tags", []))

    def _tracks(self, params: dict[str, Any], places: Sequence[Place]) -> list[Item]:
        rows = self.reading.query(SQL["tracks"], params)
        found = {row["job_id"]: orjson.loads(f"[{row['docs']}]") for row in rows}
        if not found:
            return []
        parts = [(place.start, place.stop, {"tracks": found.get(place.job_id, [])}) for place in places]
        return merge(parts)["tracks"]


def _task(row: Row, jobs: Sequence[Row], left_out: Sequence[int]) -> Task:
    start, step = row["start_frame"], step_of(row["frame_filter"])
    return Task(
        id=row["id"],
        name=row["name"],
        size=row["size"],
        mode=row["mode"],
        overlap=row["overlap"],
        bug_tracker=row["bug_tracker"],
        created=row["created_date"],
        updated=row["updated_date"],
        subset=row["subset"],
        start_frame=start,
        stop_frame=row["stop_frame"],
        frame_filter=row["frame_filter"],
        step=step,
        left_out=tuple(start + number * step for number in left_out),
        segments=tuple(Segment(j["segment_id"], j["id"], j["start_frame"], j["stop_frame"]) for j in jobs),
        owner=_person(row, "owner"),
        assignee=_person(row, "assignee"),
        source=row["video"],
    )


def _with_frames_of(job: Row, size: int, task: Task) -> Task:
    """The task as an export of one of its jobs tells of it, which has `size` frames."""
    first, last = (task.start_frame + job[end] * task.step for end in ("start_frame", "stop_frame"))
    return replace(task, size=size, start_frame=first, stop_frame=last)


def _project(row: Row) -> Project:
    return Project(
        id=row["id"],
        name=row["name"],
        bug_tracker=row["bug_tracker"],
        created=row["created_date"],
        updated=row["updated_date"],
        owner=_person(row, "owner"),
        assignee=_person(row, "assignee"),
    )


def _person(row: Row, role: str) -> Person | None:
    return Person(row[role], row[f"{role}_email"]) if row[role] is not None else None
