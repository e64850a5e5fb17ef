"""`annals restore` and `annals purge`: what was deleted comes back, or goes for good when somebody says so."""

from __future__ import annotations

import json
import os
import time

import pytest

from domain.task import NewTask
from infra.blobs.sweep import ASIDE, put_back, remove, unused_blobs

from .conftest import Annals, MainJob

DAY = 86_400


@pytest.fixture
def deleted(main_job: MainJob) -> MainJob:
    main_job.system.app.tasks.delete(main_job.admin, main_job.task_id)
    return main_job


def age(done: MainJob, days: int = 2) -> None:
    """All blobs were stored so long ago."""
    then = time.time() - days * DAY
    for photo in done.photos:
        os.utime(done.blobs.path(photo["sha256"]), (then, then))


def stored(done: MainJob) -> int:
    return sum(done.blobs.exists(photo["sha256"]) for photo in done.photos)


def count(done: MainJob, table: str) -> int:
    row = done.system.database.query_one(f"SELECT count(*) AS n FROM {table}".encode())
    assert row is not None
    return int(row["n"])


def test_what_can_come_back_is_told_and_comes_back(annals: Annals, deleted: MainJob) -> None:
    (row,) = [json.loads(line) for line in annals("restore", "--json").stdout.splitlines()]
    assert (row["stream"], row["name"], row["deleted_by"]) == ("task-1", "photos", "admin")
    back = annals("restore", "task", "1")
    assert (back.returncode, back.stdout) == (0, "task 1 is back\n")
    assert annals("restore", "--json").stdout == ""
    assert (count(deleted, "tasks"), count(deleted, "jobs"), count(deleted, "labels")) == (1, 2, 2)
    refused = annals("restore", "task", "1")
    assert (refused.returncode, refused.stderr) == (1, "annals: It is not deleted\n")
    assert annals("verify").returncode == 0


def test_a_purge_removes_frames_annotations_and_blobs(annals: Annals, deleted: MainJob) -> None:
    age(deleted)
    before = count(deleted, "log.events")
    trial = annals("purge", "--older-than", "0", "--dry-run")
    assert trial.returncode == 0, trial.stderr
    assert trial.stdout.endswith("1 tasks would be purged, 4 files removed: 24 B\n")
    assert (stored(deleted), count(deleted, "frames"), count(deleted, "log.events")) == (4, 4, before)
    done = annals("purge", "--older-than", "0", "--yes")
    assert done.stdout.endswith("1 tasks were purged, 4 files removed: 24 B\n")
    assert (stored(deleted), count(deleted, "frames"), count(deleted, "annotations")) == (0, 0, 0)
    assert count(deleted, "log.events") == before + 1
    refused = annals("restore", "task", "1")
    assert refused.stderr == "annals: Its data was purged: it cannot be brought back\n"
    assert annals("restore", "--json").stdout == ""
    assert annals("verify").returncode == 0, "blobs of purged tasks are not missed"


def test_what_was_deleted_lately_is_kept(annals: Annals, deleted: MainJob) -> None:
    age(deleted)
    assert annals("purge", "--yes").stdout.endswith("0 tasks were purged, 0 files removed: 0 B\n")
    assert stored(deleted) == 4
    assert annals("purge", "--yes", ANNALS_PURGE_AFTER_DAYS="0").stdout.endswith("4 files removed: 24 B\n")


def test_blobs_that_another_task_uses_stay(annals: Annals, deleted: MainJob) -> None:
    age(deleted)
    app = deleted.system.app
    other = app.tasks.create(deleted.admin, NewTask("other", []))
    photo = deleted.photos[1]
    app.data.receive(deleted.admin, other, [{"name": "a.jpg", "sha256": photo["sha256"], "size": photo["size"]}])
    assert annals("purge", "1", "--yes").stdout.endswith("3 files removed: 18 B\n")
    assert deleted.blobs.exists(photo["sha256"])
    assert annals("verify").returncode == 0


def test_a_blob_stored_anew_while_it_is_removed_stays(deleted: MainJob) -> None:
    """Whoever uploads the same picture relies on its being there."""
    age(deleted)
    before = time.time() - DAY
    root = deleted.blobs.path(deleted.photos[0]["sha256"]).parents[1]
    found = list(unused_blobs(root, lambda _: set(), before))
    assert len(found) == 4
    deleted.blobs.put([b"photo", b"2"])
    again = deleted.photos[2]["sha256"]
    removed = [remove(root / blob.sha256[:2] / blob.sha256, before) for blob in found]
    assert removed == [blob.sha256 != again for blob in found]
    assert [deleted.blobs.exists(photo["sha256"]) for photo in deleted.photos] == [False, False, True, False]


def test_what_a_killed_purge_took_aside_comes_back(deleted: MainJob) -> None:
    """It is killed before it has looked whether the blob became wanted."""
    path = deleted.blobs.path(deleted.photos[0]["sha256"])
    path.rename(path.with_suffix(ASIDE))
    assert stored(deleted) == 3
    put_back(path.parents[1])
    assert stored(deleted) == 4
    assert deleted.blobs.verify(path.name)
    assert list(path.parent.glob(f"*{ASIDE}")) == []


def test_a_task_that_stands_is_not_purged(annals: Annals, main_job: MainJob) -> None:
    refused = annals("purge", "1", "--yes")
    assert refused.returncode == 2
    assert "not deleted, or purged already: 1" in refused.stderr


def test_a_purge_asks_first(annals: Annals, deleted: MainJob) -> None:
    age(deleted)
    assert annals("purge", "1", stdin="n\n").returncode == 1
    assert stored(deleted) == 4
    assert annals("purge", "1", stdin="y\n").returncode == 0
    assert stored(deleted) == 0
