"""A quick look instead of the whole proof: some tasks and users taken at random, folded afresh and compared.

Which rows belong to a task follows from its streams: its own, its data's, those of its jobs and requests. Rows of
projects are left out, because they count tasks that are not in the sample.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from psycopg import Connection
from psycopg.rows import DictRow

from domain.data import creation_id
from domain.event import Event
from projections.blob_check import BlobCheck, Blobs
from projections.changes import Table
from projections.comparison import Part, compare
from projections.finding import Finding, first_line
from projections.named_queries import queries
from projections.projection import Projection, ProjectionSet
from projections.rebuild import outdated
from projections.verify import SCRATCH, Report, purged_tasks, scratch_tables, snapshot, stale_finding

POSITIONS = 200
TASKS = 30
USERS = 30
RANGES = 50
RANGE_POSITIONS = 2_000


class StreamLog(Protocol):
    """What a sample reads."""

    def head(self, connection: Connection[DictRow]) -> int: ...

    def of_streams(self, connection: Connection[DictRow], streams: Sequence[str]) -> Iterator[list[Event]]:
        """All events of some streams, in order, in batches."""
        ...


def verify_sample(
    connection: Connection[DictRow], log: StreamLog, projections: Sequence[Projection], blobs: Blobs
) -> Report:
    """As `verify`, in seconds whatever the length of the log; what it does not look at may differ."""
    with snapshot(connection):
        head = log.head(connection)
        sample = _Sample(connection, head)
        check = BlobCheck(blobs, purged_tasks(connection), hash_blobs=False)
        findings = [_positions(connection, head)]
        stale = {projection.name for projection in outdated(connection, projections)}
        try:
            with connection.transaction(), connection.cursor() as cursor:
                scratch_tables(cursor, projections)
                together = ProjectionSet(projections)
                for events in log.of_streams(connection, sample.streams):
                    check.look(events)
                    together.apply(cursor, events)
        except Exception as error:  # whatever an event that is damaged leads to
            return Report(head, [*findings, Finding("log", sample.measure, f"can't be folded: {first_line(error)}")])
        for projection in projections:
            for table in projection.tables:
                if projection.name in stale:
                    findings.append(stale_finding(projection, table))
                elif part := sample.part(table):
                    findings.append(compare(connection, table, projection.schema, SCRATCH, part))
    return Report(head, [Finding("sample", sample.measure), *findings, check.finding()])


class _Sample:
    """Tasks and users that some events are about, and what is theirs."""

    def __init__(self, connection: Connection[DictRow], head: int) -> None:
        def ids(name: str, **params: Any) -> list[Any]:
            return [row["id"] for row in connection.execute(queries("sample")[name], params)]

        positions = random.sample(range(1, head + 1), min(POSITIONS, head))
        self._tasks = ids("tasks", positions=positions, limit=TASKS)
        self._users = ids("users", positions=positions, limit=USERS)
        self._jobs = ids("jobs", tasks=self._tasks)
        creations = [creation_id(task_id) for task_id in self._tasks]
        self._own = [f"task-{task_id}" for task_id in self._tasks]
        self.streams = [
            *self._own,
            *(f"{noun}-{task_id}" for task_id in self._tasks for noun in ("data", "validation")),
            *(f"{noun}-{job_id}" for job_id in self._jobs for noun in ("job", "annotations")),
            *(f"project-{project_id}" for project_id in ids("projects", tasks=self._tasks)),
            *(f"request-{request_id}" for request_id in {*ids("requests", tasks=self._tasks), *creations}),
            *(f"user-{user_id}" for user_id in self._users),
            *(f"access_token-{token_id}" for token_id in ids("access_tokens", users=self._users)),
        ]

    @property
    def measure(self) -> str:
        return f"{len(self._tasks):,} tasks with {len(self._jobs):,} jobs, {len(self._users):,} users"

    def part(self, table: Table) -> Part | None:
        """Which rows of a table are in the sample; None for tables of which none can be compared."""
        parts = {
            "tasks": Part("id", self._tasks),
            "jobs": Part("task_id", self._tasks),
            "data": Part("task_id", self._tasks),
            "frames": Part("task_id", self._tasks),
            "validation": Part("task_id", self._tasks),
            "honeypots": Part("task_id", self._tasks),
            "labels": Part("task_id", self._tasks),
            "label_sets": Part("stream", self._own),
            "annotations": Part("job_id", self._jobs),
            "requests": Part("task_id", self._tasks),
            "users": Part("id", self._users),
            "logins": Part("user_id", self._users),
            "access_tokens": Part("user_id", self._users),
        }
        return parts.get(table.name.removesuffix("_discarded"))


def _positions(connection: Connection[DictRow], head: int) -> Finding:
    """Some ranges, each of which must have an event at every position."""
    count = -(-head // RANGE_POSITIONS)
    chosen = sorted(random.sample(range(count), min(RANGES, count)))
    measure = f"{len(chosen):,} of {count:,} ranges"
    for number in chosen:
        after, until = number * RANGE_POSITIONS, min((number + 1) * RANGE_POSITIONS, head)
        row = connection.execute(
            "SELECT count(*) AS events FROM log.events WHERE position > %s AND position <= %s", (after, until)
        ).fetchone()
        if not row or row["events"] != until - after:
            return Finding("positions", measure, f"one is missing between {after + 1:,} and {until:,}")
    return Finding("positions", measure)
