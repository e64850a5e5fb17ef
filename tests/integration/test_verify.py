"""`verify` finds whatever has drifted, and names it; it is not disturbed by writers, and it leaves nothing behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cli.rebuilding import projections_held, replay
from infra.eventlog.reader import LogReader
from projections import comparison
from projections.registry import REGISTRY
from projections.verify import Report, verify

from ..waiting import wait_until
from .conftest import MainJob

PROJECTIONS = list(REGISTRY.values())
ROWS = {
    "table users": "1 row",
    "table logins": "1 row",
    "table projects": "0 rows",
    "table tasks": "1 row",
    "table data": "1 row",
    "table frames": "4 rows",
    "table jobs": "2 rows",
    "table labels": "2 rows",
    "table label_sets": "1 row",
    "table annotations": "2 rows",
    "table requests": "1 row",
    "blobs": "4 (sizes)",
}


def verified(done: MainJob, *, hash_blobs: bool = False) -> Report:
    with done.system.database.connect() as connection, projections_held(connection, shared=True):
        return verify(connection, LogReader(), PROJECTIONS, done.blobs, hash_blobs=hash_blobs)


def differences(done: MainJob, *, hash_blobs: bool = False) -> dict[str, str]:
    report = verified(done, hash_blobs=hash_blobs)
    return {finding.subject: finding.difference for finding in report.findings if finding.difference is not None}


def change(done: MainJob, *statements: str) -> None:
    with done.system.database.connect() as connection:
        connection.execute("SET session_replication_role = replica")  # without the trigger that guards the log
        for statement in statements:
            connection.execute(statement.encode())


def test_the_history_of_the_main_job_is_equal_everywhere(main_job: MainJob) -> None:
    report = verified(main_job, hash_blobs=False)
    assert [finding for finding in report.findings if not finding.equal] == []
    assert ROWS.items() <= {finding.subject: finding.measure for finding in report.findings}.items()
    row = main_job.system.database.query_one("SELECT max(position) AS head FROM log.events")
    assert row is not None
    assert report.head == row["head"]


def test_an_empty_log_is_equal(main_job: MainJob) -> None:
    tables = ", ".join(table.name for projection in PROJECTIONS for table in projection.tables)
    change(main_job, f"TRUNCATE log.events, {tables}")
    assert differences(main_job) == {}


def test_a_changed_row_is_named_with_both_values(main_job: MainJob) -> None:
    job_id = main_job.job_ids[0]
    change(main_job, f"UPDATE jobs SET state = 'new' WHERE id = {job_id}")
    assert differences(main_job) == {"table jobs": f"id {job_id}: state is 'new', by the log 'completed'"}


def test_of_several_differences_the_one_with_the_lowest_key_is_named(main_job: MainJob) -> None:
    change(main_job, "UPDATE frames SET width = 1 WHERE number IN (1, 3)")
    assert differences(main_job) == {"table frames": "task_id 1, number 1: width is 1, by the log 640"}


def test_a_missing_row_is_shown(main_job: MainJob) -> None:
    change(main_job, "DELETE FROM frames WHERE number = 2")
    found = differences(main_job)["table frames"]
    assert found.startswith("task_id 1, number 2 is missing: ")
    assert "name 'photo2.jpg'" in found


def test_a_stray_row_is_shown(main_job: MainJob) -> None:
    change(main_job, "INSERT INTO annotations VALUES (9999, 7, 'tags', '{319968}', '{0}', '{}', '{1}', '{}')")
    found = differences(main_job)["table annotations"]
    assert found.startswith("bucket 9999, job_id 7, kind tags is in the table, but not in the log: ")
    assert "ids [319968]" in found


def test_the_same_document_written_in_another_way_is_a_difference(main_job: MainJob) -> None:
    change(main_job, "UPDATE labels SET attributes = '[ ]' WHERE id = (SELECT min(id) FROM labels)")
    assert "the same values are written in another way" in differences(main_job)["table labels"]


def test_a_difference_far_into_a_table_of_many_ranges_is_found(
    main_job: MainJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "RANGE_ROWS", 1)
    assert differences(main_job) == {}
    change(main_job, "UPDATE jobs SET state = 'rejected' WHERE id = (SELECT max(id) FROM jobs)")
    change(main_job, "DELETE FROM labels WHERE id = (SELECT max(id) FROM labels)")
    found = differences(main_job)
    assert found["table jobs"].startswith(f"id {max(main_job.job_ids)}: state is 'rejected'")
    assert " is missing: " in found["table labels"]


def test_secrets_are_not_shown(main_job: MainJob) -> None:
    secret = "argon2-of-the-intruder"
    change(main_job, f"UPDATE users SET password_hash = '{secret}', email = 'intruder@example.org'")
    found = differences(main_job)["table users"]
    assert "password_hash is (hidden), by the log (hidden)" in found
    assert "intruder@example.org" in found
    assert secret not in found


def test_a_missing_table_is_named(main_job: MainJob) -> None:
    change(main_job, "DROP TABLE requests")
    missing = 'relation "read_requests_v2.requests" does not exist'
    assert differences(main_job) == {"table requests": f"can't be read: {missing}"}


def test_a_projection_of_another_version_is_to_be_rebuilt(main_job: MainJob) -> None:
    newer = [replace(one, version=one.version + 1) if one.name == "users" else one for one in PROJECTIONS]
    with main_job.system.database.connect() as connection:
        report = verify(connection, LogReader(), newer, main_job.blobs)
    found = {finding.subject: finding.difference for finding in report.findings if not finding.equal}
    why = "is not built in its present version: `annals replay users`"
    assert found == {"table users": why, "table logins": why}


def test_a_deleted_event_breaks_positions_and_its_stream(main_job: MainJob) -> None:
    change(main_job, "DELETE FROM log.events WHERE stream = 'data-1' AND version = 2")
    found = differences(main_job)
    assert found["streams"] == "data-1 has no version 2"
    assert found["positions"] == "the log has no position 8"


def test_the_last_event_of_a_stream_can_not_be_cut_off_unseen(main_job: MainJob) -> None:
    change(main_job, "DELETE FROM log.events WHERE position = (SELECT max(position) FROM log.events)")
    found = differences(main_job)
    assert found.keys() == {"table tasks", "table jobs"}
    assert found["table jobs"].startswith("id 1: stage is 'acceptance', by the log 'annotation'; state is 'completed',")


def test_versions_out_of_the_order_of_positions_are_named(main_job: MainJob) -> None:
    change(
        main_job,
        "UPDATE log.events SET version = 100 WHERE stream = 'data-1' AND version = 1",
        "UPDATE log.events SET version = 1 WHERE stream = 'data-1' AND version = 2",
        "UPDATE log.events SET version = 2 WHERE stream = 'data-1' AND version = 100",
    )
    assert differences(main_job)["streams"] == "data-1@2 has a lower position than the one before"


def test_an_event_that_can_not_be_read_is_located(main_job: MainJob) -> None:
    change(main_job, "UPDATE log.events SET state = '\\x7b' WHERE position = 6")
    found = differences(main_job)
    assert found.keys() == {"log"}
    assert found["log"].startswith("can't be folded")


def test_a_removed_blob_is_named_with_its_file(main_job: MainJob) -> None:
    photo = main_job.photos[2]
    main_job.blobs.path(photo["sha256"]).unlink()
    found = differences(main_job)
    assert found.keys() == {"blobs"}
    assert found["blobs"].startswith(f"“photo2.jpg” of data-1@1, blob {photo['sha256']}: ")


def test_a_cut_blob_is_named(main_job: MainJob) -> None:
    overwrite(main_job.blobs.path(main_job.photos[1]["sha256"]), b"pho")
    assert differences(main_job)["blobs"].endswith(": has 3 bytes instead of 6")


def test_a_blob_with_another_content_is_found_when_hashes_are_asked_for(main_job: MainJob) -> None:
    overwrite(main_job.blobs.path(main_job.photos[1]["sha256"]), b"PHOTO1")
    assert differences(main_job) == {}
    assert differences(main_job, hash_blobs=True)["blobs"].endswith(": has another content")


def test_nothing_is_left_behind(main_job: MainJob) -> None:
    def catalogue() -> list[tuple[str, str]]:
        rows = main_job.system.database.query("SELECT relnamespace::regnamespace::text AS s, relname FROM pg_class")
        return sorted((row["s"], row["relname"]) for row in rows)

    before = catalogue()
    change(main_job, "UPDATE jobs SET state = 'new'")
    with main_job.system.database.connect() as connection:
        verify(connection, LogReader(), PROJECTIONS, main_job.blobs)
        assert connection.execute("SELECT count(*) AS n FROM jobs WHERE state = 'new'").fetchone() == {"n": 2}
    assert catalogue() == before


@contextmanager
def writing(done: MainJob) -> Iterator[list[int]]:
    """Somebody draws and erases without a pause; yields what counts the submits."""
    stop, submits = threading.Event(), [0]
    tag = {"frame": 0, "label_id": 1}

    def draw() -> None:
        while not stop.is_set():
            stored = done.system.app.annotations.create(done.admin, done.job_ids[1], {"tags": [tag]})
            done.system.app.annotations.delete(done.admin, done.job_ids[1], stored)
            done.system.app.tasks.update(done.admin, done.task_id, {"name": f"photos {submits[0]}"})
            submits[0] += 1

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        yield submits
    finally:
        stop.set()
        thread.join()


def test_it_is_right_while_writes_go_on(main_job: MainJob) -> None:
    with writing(main_job) as submits:

        def compared() -> bool:
            """Whether something was written meanwhile."""
            before = submits[0]
            assert differences(main_job) == {}
            return submits[0] > before

        for _ in range(5):
            wait_until(compared)


def test_it_is_right_while_projections_are_rebuilt(main_job: MainJob) -> None:
    stop, heads = threading.Event(), []

    def rebuild() -> None:
        while not stop.is_set():
            heads.append(replay(main_job.system.database.url, PROJECTIONS))

    def compared() -> bool:
        """Whether they were rebuilt again meanwhile."""
        before = len(heads)
        assert differences(main_job) == {}
        return len(heads) > before

    thread = threading.Thread(target=rebuild)
    with writing(main_job):
        thread.start()
        try:
            for _ in range(2):
                wait_until(compared)
        finally:
            stop.set()
            thread.join()


def overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_a_rebuild_of_one_projection_heals_it(main_job: MainJob, name: str) -> None:
    rows = 0
    for table in REGISTRY[name].tables:
        rows += len(main_job.system.database.query(f"SELECT 1 FROM {table.name}".encode()))
        change(main_job, f"TRUNCATE {table.name}")
    assert bool(differences(main_job)) is bool(rows)
    replay(main_job.system.database.url, [REGISTRY[name]])
    assert differences(main_job) == {}
