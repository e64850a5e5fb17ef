"""A long history, written straight into the log: `python -m bench.long_log URL EVENTS`.

What a team does, in a realistic mix. A task of 100 images is created, uploaded, processed and cut into 10 jobs (19
events); each job is assigned, moved through its stages, and drawn in five times, ten rectangles at a time (9 events):
109 events a task, of which 50 are submits. The events are those of the product, encoded by its mapper; only the way
into the table is another one (COPY), and the clock.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count, islice

import psycopg

from cli.rebuilding import prepare
from domain.event import Body, Event, Metadata
from domain.events.annotations import AnnotationsChanged
from domain.events.data import DataUploaded, FilesReceived, Frame, FramesAdded, JobsSplit, ReceivedFile
from domain.events.job import JobAssigned, JobCreated, JobStateChanged
from domain.events.label import LabelsAdded, LabelSpec
from domain.events.request import RequestFinished, RequestQueued, RequestStarted
from domain.events.task import TaskCreated
from infra.eventlog.appender import LOCK
from infra.eventlog.mapper import EventMapper, OrjsonTranscoder, ZstdCompressor

JOBS, FRAMES_PER_JOB, SUBMITS, SHAPES = 10, 10, 5, 10
PEOPLE = 20
START = datetime(2026, 1, 5, 8, tzinfo=UTC)
COLUMNS = (
    "position", "stream", "version", "type", "schema_version", "time", "source", "actor_id", "actor", "project_id",
    "task_id", "job_id", "state",
)  # fmt: skip
MOVES = [
    ("annotation", "in progress", "annotation", "new"),
    ("validation", "new", "annotation", "in progress"),
    ("acceptance", "completed", "validation", "new"),
]


@dataclass
class Numbers:
    """Ids as the sequences would hand them out."""

    tasks: Iterator[int] = field(default_factory=lambda: count(1))
    jobs: Iterator[int] = field(default_factory=lambda: count(1))
    objects: Iterator[int] = field(default_factory=lambda: count(1_000))


def history(numbers: Numbers) -> Iterator[Body]:
    """For ever."""
    while True:
        yield from _task(next(numbers.tasks), numbers)


def _task(task_id: int, numbers: Numbers) -> Iterator[Body]:
    files = [
        ReceivedFile(name=f"{n:04}.jpg", sha256=f"{task_id:032x}{n:032x}", size=100_000 + n)
        for n in range(JOBS * FRAMES_PER_JOB)
    ]
    frames = [Frame(**file, width=1920, height=1080) for file in files]
    request_id = f"action=create&target=task&target_id={task_id}"
    yield TaskCreated(task_id, None, f"street {task_id}", 1, None, "", "", 0, None, 0, None, None, None)
    yield LabelsAdded(None, task_id, [LabelSpec(id=task_id, name="car", color="#39e6a2", type="any", attributes=[])])
    yield FilesReceived(task_id, files)
    yield RequestQueued(request_id, "import", "create", "task", "", 1, "ann", None, task_id, None, {})
    yield RequestStarted(request_id, "agent-1", 1)
    yield DataUploaded(
        task_id, None, len(frames), 70, 36, 0, len(frames) - 1, "", "lexicographical", "image", "annotation", "2d",
        "imageset", "imageset", {},
    )  # fmt: skip
    yield FramesAdded(task_id, 0, frames)
    yield JobsSplit(task_id, FRAMES_PER_JOB, 0, JOBS)
    jobs = list(islice(numbers.jobs, JOBS))
    for number, job_id in enumerate(jobs):
        first = number * FRAMES_PER_JOB
        last = first + FRAMES_PER_JOB - 1
        yield JobCreated(job_id, task_id, None, job_id, "annotation", first, last, None, "annotation", "new", None)
    yield RequestFinished(request_id, task_id, {})
    for number, job_id in enumerate(jobs):
        yield from _work(job_id, task_id, number * FRAMES_PER_JOB, numbers)


def _work(job_id: int, task_id: int, frame: int, numbers: Numbers) -> Iterator[Body]:
    person = job_id % PEOPLE + 1
    yield JobAssigned(job_id, task_id, None, person, f"person{person}", None)
    for stage, state, before, state_before in MOVES[:1]:
        yield JobStateChanged(job_id, task_id, None, stage, state, before, state_before)
    for submit in range(SUBMITS):
        shapes = [_rectangle(next(numbers.objects), task_id, frame + submit, n) for n in range(SHAPES)]
        yield AnnotationsChanged(job_id, task_id, None, {"shapes": shapes}, {}, {})
    for stage, state, before, state_before in MOVES[1:]:
        yield JobStateChanged(job_id, task_id, None, stage, state, before, state_before)


def _rectangle(object_id: int, label_id: int, frame: int, number: int) -> dict[str, object]:
    x, y = (object_id * 37 % 18_000) / 10, (object_id * 53 % 9_800) / 10 + number
    return {
        "id": object_id, "type": "rectangle", "frame": frame, "label_id": label_id, "group": 0, "source": "manual",
        "points": [x, y, x + 105.25, y + 64.5], "occluded": False, "outside": False, "z_order": 0, "rotation": 0.0,
        "score": 1.0, "attributes": [], "elements": [],
    }  # fmt: skip


def write(url: str, events: int) -> None:
    """Into an empty database; what is derived from the log is not built then."""
    prepare(url)
    numbers = Numbers()
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(LOCK)
        with cursor.copy(f"COPY log.events ({', '.join(COLUMNS)}) FROM STDIN") as copy:
            for row in _rows(islice(history(numbers), events)):
                copy.write_row(row)
        for name, last in (("task", numbers.tasks), ("job", numbers.jobs)):
            cursor.execute("SELECT setval(%s, %s)", (f"log.{name}_ids", next(last)))
        cursor.execute("SELECT setval('log.annotation_id_blocks', %s)", (next(numbers.objects) // 1_000 + 1,))
        cursor.execute("DELETE FROM log.projections")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE log.events")


def _rows(bodies: Iterable[Body]) -> Iterator[tuple[object, ...]]:
    mapper = EventMapper(OrjsonTranscoder(), ZstdCompressor())
    versions: Counter[str] = Counter()
    for position, body in enumerate(bodies, 1):
        stream = body.stream
        versions[stream] += 1
        meta = Metadata(START + timedelta(seconds=position / 10), "api", 1, "ann")
        state = mapper.to_stored_event(Event(stream, versions[stream], body, meta)).state
        place = (getattr(body, name, None) for name in ("project_id", "task_id", "job_id"))
        yield (
            position, stream, versions[stream], body.type_name, body.schema_version, meta.time, meta.source, 1, "ann",
            *place, state,
        )  # fmt: skip


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]))
