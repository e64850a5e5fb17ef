"""`annals replay`: projections from the log, anew."""

from __future__ import annotations

import json

from projections.registry import REGISTRY

from .conftest import Annals, MainJob


def count(done: MainJob, table: str) -> int:
    row = done.system.database.query_one(f"SELECT count(*) AS n FROM {table}".encode())
    assert row is not None
    return int(row["n"])


def test_everything_is_rebuilt(annals: Annals, main_job: MainJob) -> None:
    tables = ("users", "tasks", "frames", "jobs", "annotations", "requests")
    before = {table: count(main_job, table) for table in tables}
    with main_job.system.database.connect() as connection:
        connection.execute(f"TRUNCATE {', '.join(tables)}".encode())
    rebuilt = annals("replay")
    assert rebuilt.returncode == 0
    assert rebuilt.stdout.startswith(f"Rebuilt {', '.join(REGISTRY)} to position 15 in ")
    assert {table: count(main_job, table) for table in tables} == before


def test_only_the_named_ones_are_rebuilt(annals: Annals, main_job: MainJob) -> None:
    with main_job.system.database.connect() as connection:
        connection.execute("TRUNCATE jobs, frames")
    rebuilt = json.loads(annals("replay", "jobs", "users", "jobs", "--json").stdout)
    assert (rebuilt["projections"], rebuilt["position"]) == (["jobs", "users"], 15)
    assert (count(main_job, "jobs"), count(main_job, "frames")) == (2, 0)


def test_an_unknown_projection_is_a_wrong_command_line(annals: Annals, main_job: MainJob) -> None:
    refused = annals("replay", "jobs", "chores")
    assert refused.returncode == 2
    assert "chores is not one of users, " in refused.stderr


def test_writing_goes_on_with_the_rebuilt_tables(annals: Annals, main_job: MainJob) -> None:
    annals("replay")
    main_job.system.app.jobs.update(main_job.admin, 2, state="in progress")
    row = main_job.system.database.query_one("SELECT state FROM jobs WHERE id = 2")
    assert row == {"state": "in progress"}
