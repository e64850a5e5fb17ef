"""`annals verify` as a command: what it prints, and its exit code. What it finds: test_verify.py."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess

from infra.clickhouse.client import connect
from infra.clickhouse.process import EndpointProcess
from infra.postgres import verifications
from infra.postgres.locks import FolderLock

from ..ports import free_port
from .conftest import Annals, MainJob


def corrupt(done: MainJob) -> None:
    with done.system.database.connect() as connection:
        connection.execute("UPDATE jobs SET state = 'new', stage = 'validation' WHERE id = 1")


def test_equality_is_told_and_exits_with_0(annals: Annals, main_job: MainJob) -> None:
    equal = annals("verify")
    assert equal.returncode == 0
    assert equal.stdout.endswith("\nEverything is equal, up to position 15.\n")
    lines = {" ".join(line.split()) for line in equal.stdout.splitlines()}
    assert lines > {
        "positions 1 to 15 equal",
        "table annotations 2 rows equal",
        "blobs 4 (sizes) equal",
        "ClickHouse positions 1 to 0, 15 not forwarded yet equal",
    }


def test_the_first_difference_is_told_and_exits_with_1(annals: Annals, main_job: MainJob) -> None:
    corrupt(main_job)
    different = annals("verify")
    assert different.returncode == 1
    assert different.stdout.endswith(
        "\nFirst difference: table jobs: id 1: stage is 'validation', by the log 'acceptance';"
        " state is 'new', by the log 'completed'\n"
    )


def test_as_json(annals: Annals, main_job: MainJob) -> None:
    equal = json.loads(annals("verify", "--json", "--blobs").stdout)
    assert (equal["equal"], equal["head"]) == (True, 15)
    blobs = {"subject": "blobs", "measure": "4 (sizes and hashes)", "difference": None, "unknown": None}
    assert blobs in equal["findings"]
    corrupt(main_job)
    different = annals("verify", "--json")
    found = json.loads(different.stdout)
    assert (different.returncode, found["equal"]) == (1, False)
    assert [one["subject"] for one in found["findings"] if one["difference"]] == ["table jobs"]


def test_without_a_server_it_leaves_no_process_behind(annals: Annals, main_job: MainJob, data_folder: Path) -> None:
    assert annals("verify").returncode == 0
    lock = data_folder / "clickhouse" / "lock"  # held by the one process that has the engine
    assert lock.exists()
    assert not FolderLock(lock).is_taken()


def test_a_sample_finds_what_is_wrong_in_it(annals: Annals, main_job: MainJob) -> None:
    """Here the sample is everything that there is of tasks and users."""
    quick = annals("verify", "--quick")
    assert quick.returncode == 0, quick.stdout
    lines = {" ".join(line.split()) for line in quick.stdout.splitlines()}
    assert lines > {"sample 1 tasks with 2 jobs, 1 users equal", "blobs 4 (sizes) equal"}
    corrupt(main_job)
    different = annals("verify", "--quick")
    assert different.returncode == 1
    assert "First difference: table jobs: id 1: stage is 'validation', by the log 'acceptance'" in different.stdout


def test_a_sample_finds_rows_that_are_gone_or_too_many(annals: Annals, main_job: MainJob) -> None:
    with main_job.system.database.connect() as connection:
        connection.execute("DELETE FROM jobs WHERE id = 2")
        connection.execute("DELETE FROM requests")
        connection.execute("UPDATE users SET username = 'mallory'")
    assert quick_differences(annals) == {"table tasks", "table requests", "table users"}, "the task counts its jobs"
    with main_job.system.database.connect() as connection:
        connection.execute("DELETE FROM tasks")
        connection.execute("DELETE FROM users")
    assert quick_differences(annals) == {"table tasks", "table requests", "table users"}


def quick_differences(annals: Annals) -> set[str]:
    found = json.loads(annals("verify", "--quick", "--json").stdout)
    return {finding["subject"] for finding in found["findings"] if finding["difference"]}


def test_a_sample_finds_missing_positions(annals: Annals, main_job: MainJob) -> None:
    with main_job.system.database.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM log.events WHERE type = 'UserLoggedIn'")
    different = annals("verify", "--quick")
    assert "one is missing between 1 and 15" in different.stdout


def test_clickhouse_alone(annals: Annals, main_job: MainJob) -> None:
    corrupt(main_job)
    alone = annals("verify", "--clickhouse", "--json")
    assert alone.returncode == 3
    (finding,) = json.loads(alone.stdout)["findings"]
    assert (finding["subject"], finding["unknown"]) == ("ClickHouse", "nothing was forwarded yet")


def test_what_cannot_be_compared_is_no_difference(annals: Annals, main_job: MainJob) -> None:
    nobody = f"http://someone@127.0.0.1:{free_port()}"
    outage = annals("verify", "--clickhouse", ANNALS_CLICKHOUSE_URL=nobody)
    assert outage.returncode == 3
    assert "\nNot compared: ClickHouse: ClickHouse does not answer" in outage.stdout
    (kept,) = verifications.last(main_job.system.database)
    assert (kept["differences"], kept["unknown"]) == (0, 1)
    corrupt(main_job)
    different = annals("verify", ANNALS_CLICKHOUSE_URL=nobody)
    assert different.returncode == 1
    assert "NOT COMPARED" in different.stdout
    assert "\nFirst difference: table jobs" in different.stdout


def test_without_a_database_nothing_can_be_compared(annals: Annals) -> None:
    nobody = annals("verify", "--quick", ANNALS_DATABASE_URL=f"postgresql://someone@127.0.0.1:{free_port()}/annals")
    assert (nobody.returncode, nobody.stdout) == (3, "")
    assert "annals: " in nobody.stderr


def test_what_has_expired_is_told(annals: Annals, main_job: MainJob, tmp_path: Path) -> None:
    """First all but one of fifteen events, then all."""
    with EndpointProcess(tmp_path / "clickhouse", "hush") as endpoint:
        url = f"http://forwarder:hush@127.0.0.1:{endpoint.port}"
        settings = {"ANNALS_CLICKHOUSE_URL": url, "ANNALS_CLICKHOUSE_TTL_DAYS": "30"}

        def verified_a_year_after(positions: str) -> CompletedProcess[str]:
            with main_job.system.database.connect() as connection:
                connection.execute("SET session_replication_role = replica")
                connection.execute(f"UPDATE log.events SET time = time - interval '1 year' WHERE position {positions}")
            rebuilt = annals("forward", "rebuild", **settings)
            assert rebuilt.returncode == 0, rebuilt.stderr
            with closing(connect(url)) as client:
                client.command("OPTIMIZE TABLE cvat.events FINAL")
            return annals("verify", "--clickhouse", "--rows", **settings)

        equal = verified_a_year_after("< 15")
        assert equal.returncode == 0, equal.stdout
        assert "positions 1 to 15, 14 of them expired" in equal.stdout
        nothing = verified_a_year_after("= 15")
        assert nothing.returncode == 3
        assert "Not compared: ClickHouse: the rows of all 15 events have expired" in nothing.stdout


def test_what_was_found_is_kept(annals: Annals, main_job: MainJob) -> None:
    annals("verify")
    corrupt(main_job)
    annals("verify", "--quick")
    rows = main_job.system.database.query("SELECT scope, position, differences FROM log.verifications ORDER BY id")
    assert rows == [
        {"scope": "whole", "position": 15, "differences": 0},
        {"scope": "quick", "position": 15, "differences": 1},
    ]
