"""The simulated campaign: the same for the same seed, known beforehand, and a log like any other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.bootstrap import System, connect
from cli.rebuilding import projections_held
from infra.blobs import FileBlobs
from infra.eventlog.reader import LogReader
from projections.registry import REGISTRY
from projections.verify import verify

from ..campaign import START, Summary, simulate

SMALL = {"people": 5, "days": 2, "events": 3_000}


@pytest.fixture
def new_system(new_database: Callable[[], str]) -> Callable[[], object]:
    @contextmanager
    def make() -> Iterator[System]:
        system = connect(new_database())
        try:
            yield system
        finally:
            system.close()

    return make


def history(system: System) -> list[tuple[object, ...]]:
    rows = system.database.query("SELECT stream, version, type, time, actor, state FROM log.events ORDER BY position")
    return [tuple(row.values()) for row in rows]


def test_a_seed_is_a_history(new_system: Callable[[], Iterator[System]]) -> None:
    histories = []
    for seed in (1, 1, 2):
        with new_system() as system:
            simulate(system, **SMALL, seed=seed)
            histories.append(history(system))
    assert histories[0] == histories[1]
    assert histories[0] != histories[2]


@pytest.mark.parametrize("events", [1_500, 6_000])
def test_it_is_as_long_as_asked_for(system: System, events: int) -> None:
    summary = simulate(system, people=5, days=1, events=events)
    assert summary.events == len(history(system)) == pytest.approx(events, rel=0.15)


def test_times_never_go_back(system: System) -> None:
    simulate(system, **SMALL)
    times = [row[3] for row in history(system)]
    assert times == sorted(times)
    assert {time.date().day - START.day for time in times} == {0, 1}


def test_the_projections_say_what_the_summary_says(system: System) -> None:
    summary = simulate(system, **SMALL)
    assert counted(system, "SELECT count(*) AS n FROM jobs") == summary.jobs["created"]
    accepted = counted(system, "SELECT count(*) AS n FROM jobs WHERE stage = 'acceptance' AND state = 'completed'")
    assert accepted == summary.jobs["accepted"]
    assert (
        counted(system, "SELECT count(*) AS n FROM tasks") == summary.types["TaskCreated"] - 1
    )  # the trial run is gone
    standing = standing_by_arithmetic(summary)
    assert counted(system, "SELECT count(*) AS n FROM annotation_objects") == standing


def test_everything_happens(system: System) -> None:
    summary = simulate(system, **SMALL)
    assert summary.requests["create", "failed"] == summary.requests["export", "failed"] == 1
    assert summary.requests["create", "expired"] == 1
    assert summary.jobs["rejected"] >= 1
    assert summary.restored == {"Annotations": 1, "Task": 1}
    assert summary.deleted == {"Task": 2, "User": 1}
    assert len(summary.jobs_annotated) == 4
    assert all(summary.working_ms[name] > 3_600_000 for name in summary.jobs_annotated)
    assert {kind for kind, _ in summary.objects_by_kind["created"]} == {"shapes", "tags", "tracks"}


def test_a_fresh_fold_is_equal(system: System, tmp_path: Path) -> None:
    simulate(system, **SMALL)
    with system.database.connect() as connection, projections_held(connection, shared=True):
        report = verify(connection, LogReader(), list(REGISTRY.values()), FileBlobs(tmp_path))
    different = [finding.subject for finding in report.findings if not finding.equal]
    assert different == ["blobs"]  # its images are names without bytes


def counted(system: System, query: str) -> int:
    row = system.database.query_one(query)
    assert row is not None
    return int(row["n"])


def standing_by_arithmetic(summary: Summary) -> int:
    """What was created or restored, less what was removed."""
    by_kind = summary.objects_by_kind
    return sum(by_kind["created"].values()) - sum(by_kind["deleted"].values())
