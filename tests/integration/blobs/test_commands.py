"""The operator's commands on media in S3: moving there, checking it, purging it, and moving back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli.purging import purge
from infra.blobs import open_blobs
from infra.blobs.s3.blobs import S3Blobs
from infra.settings import Settings

from ..conftest import Annals, MainJob

PHOTOS = 4
BYTES = 24


@pytest.fixture
def moved(annals: Annals, main_job: MainJob, s3_url: str, data_folder: Path) -> S3Blobs:
    """Everything is in S3, and the files are gone."""
    done = annals("blobs", "copy", "--to", s3_url)
    assert (done.returncode, done.stdout) == (0, "all 4 blobs are there; 4 of them were copied now\n"), done.stderr
    shutil.rmtree(data_folder / "blobs")
    store = open_blobs(Settings(data=data_folder, blobs_url=s3_url))
    assert isinstance(store, S3Blobs)
    return store


def test_a_copy_goes_on_where_it_was_broken_off(
    annals: Annals, main_job: MainJob, s3_url: str, data_folder: Path
) -> None:
    store = open_blobs(Settings(data=data_folder, blobs_url=s3_url))
    store.put([b"photo", b"1"])
    done = annals("blobs", "copy", "--to", s3_url)
    assert done.stdout == "all 4 blobs are there; 3 of them were copied now\n"
    assert annals("blobs", "copy", "--to", s3_url).stdout == "all 4 blobs are there; 0 of them were copied now\n"


def test_a_copy_names_what_is_missing_or_damaged(annals: Annals, main_job: MainJob, s3_url: str) -> None:
    path = main_job.blobs.path(main_job.photos[2]["sha256"])
    content = path.read_bytes()
    path.unlink()
    missing = annals("blobs", "copy", "--to", s3_url)
    assert missing.returncode == 1
    assert f"“photo2.jpg”: Blob {path.name} is not stored here" in missing.stderr
    path.write_bytes(content[:-1] + b"X")
    damaged = annals("blobs", "copy", "--to", s3_url)
    assert damaged.returncode == 1
    assert f"Blob {path.name} has another content" in damaged.stderr


def test_what_is_in_s3_is_verified(annals: Annals, main_job: MainJob, moved: S3Blobs, s3_url: str) -> None:
    whole = annals("verify", "--blobs", "--wait", "0", "--json", ANNALS_BLOBS_URL=s3_url).stdout
    assert '{"subject":"blobs","measure":"4 (sizes and hashes)","difference":null' in whole.replace(
        '": ', '":'
    ).replace(', "', ',"')
    lost = main_job.photos[1]["sha256"]
    moved._bucket.delete(f"{lost[:2]}/{lost}")
    found = annals("verify", "--wait", "0", "--json", ANNALS_BLOBS_URL=s3_url)
    assert found.returncode == 1
    assert f"blob {lost}: Blob {lost} is not stored here" in found.stdout


def test_the_doctor_counts_what_is_in_s3(annals: Annals, moved: S3Blobs, s3_url: str) -> None:
    assert "4 (24 B)" in annals("doctor", ANNALS_BLOBS_URL=s3_url).stdout
    nowhere = annals("doctor", ANNALS_BLOBS_URL="s3://bucket?endpoint=http://127.0.0.1:1")
    assert "out of reach" in nowhere.stdout


def test_a_purge_frees_what_is_in_s3(main_job: MainJob, moved: S3Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    main_job.system.app.tasks.delete(main_job.admin, main_job.task_id)
    assert purge(main_job.system, moved, [main_job.task_id], dry_run=False).blobs == 0, "they were stored just now"
    monkeypatch.setattr("cli.purging.GRACE_SECONDS", -60)
    trial = purge(main_job.system, moved, [], dry_run=True)
    assert (trial.blobs, trial.bytes, moved.usage().blobs) == (PHOTOS, BYTES, PHOTOS)
    freed = purge(main_job.system, moved, [], dry_run=False)
    assert (freed.blobs, freed.bytes, moved.usage().blobs) == (PHOTOS, BYTES, 0)
    monkeypatch.setattr("infra.blobs.s3.blobs.KEPT_SECONDS", -60.0)
    purge(main_job.system, moved, [], dry_run=False)
    assert not any(moved.exists(photo["sha256"]) for photo in main_job.photos)


def test_media_comes_back_from_s3_and_goes_with_the_log(
    annals: Annals, main_job: MainJob, moved: S3Blobs, s3_url: str, tmp_path: Path
) -> None:
    done = annals("blobs", "copy", "--to", str(tmp_path / "back"), ANNALS_BLOBS_URL=s3_url)
    assert done.stdout == "all 4 blobs are there; 4 of them were copied now\n", done.stderr
    exported = annals(
        "log", "export", str(tmp_path / "log"), "--blobs", str(tmp_path / "kept"), ANNALS_BLOBS_URL=s3_url
    )
    assert exported.stderr.endswith("; 4 blobs copied\n")
    for folder in ("back", "kept"):
        for number, photo in enumerate(main_job.photos):
            path = tmp_path / folder / photo["sha256"][:2] / photo["sha256"]
            assert path.read_bytes() == b"photo%d" % number


def test_a_url_that_can_not_be_right_is_refused_without_being_repeated(annals: Annals, main_job: MainJob) -> None:
    refused = annals("verify", ANNALS_BLOBS_URL="s3://key:secret@bucket")
    assert refused.returncode == 1
    assert "holds no credentials" in refused.stderr
    assert "secret" not in refused.stderr
