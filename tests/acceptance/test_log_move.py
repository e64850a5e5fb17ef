"""An installation is backed up while it runs, in two steps, and goes on elsewhere as if nothing had happened."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from cvat_sdk import make_client, models

from .conftest import REPOSITORY, Served, annals_environment

PHOTOS = sorted((REPOSITORY / "examples" / "photos").glob("*.*g"))
PASSWORD = "correct horse battery"


def annals(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command on a data folder that nothing serves."""
    command = [sys.executable, "-P", "-m", "cli.main", *arguments]
    return subprocess.run(
        command, env=annals_environment(data), capture_output=True, text=True, timeout=300, check=False
    )


def seen(url: str) -> dict[str, Any]:
    """What a client sees of everything."""
    paths = ["/api/tasks", "/api/jobs", "/api/labels?task_id=1", "/api/tasks/1/annotations", "/api/tasks/1/data/meta"]
    paths += ["/api/requests", "/api/users", "/api/log/deleted"]
    with httpx.Client(base_url=url, auth=("admin", PASSWORD), timeout=60) as http:
        answers = {path: http.get(path).text.replace(url, "") for path in paths}
        answers["frame"] = http.get("/api/tasks/1/data?type=frame&number=3&quality=original").content.hex()
    return answers


def test_a_backup_in_two_steps_makes_the_same_installation(
    serve: Callable[..., Served], data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, folder = serve(ANNALS_ADMIN_PASSWORD=PASSWORD).ready(), data_folder.parent
    with make_client(server.url, credentials=("admin", PASSWORD)) as client:
        spec = models.TaskWriteRequest(name="photos", labels=[models.PatchedLabelRequest(name="cat")], segment_size=4)
        task = client.tasks.create_from_data(spec=spec, resources=PHOTOS, data_params={"image_quality": 70})
        first, blobs = folder / "first.jsonl.zst", folder / "blobs"
        done = server.annals("log", "export", str(first), "--blobs", str(blobs))
        assert done.returncode == 0, done.stderr
        head = done.stderr.split(" to ")[1].split(",")[0]
        job = task.get_jobs()[0]
        box = models.LabeledShapeRequest(
            type="rectangle", frame=job.start_frame, label_id=task.get_labels()[0].id, points=[1.5, 2, 30, 40]
        )
        job.set_annotations(models.LabeledDataRequest(shapes=[box]))
        client.tasks.create(models.TaskWriteRequest(name="gone", labels=[])).remove()
    second = folder / "second.jsonl.zst"
    done = server.annals("log", "export", str(second), "--after", head, "--blobs", str(blobs))
    assert done.stderr.endswith("; 0 blobs copied\n")
    before = seen(server.url)
    assert server.stop() == 0
    assert {stat.S_IMODE(path.stat().st_mode) for path in (first, second)} == {0o600}
    assert annals(folder, "log", "check", str(first)).stdout.endswith("it is whole\n")

    moved = folder / "moved"
    shutil.rmtree(server.data / "blobs")
    refuse_without_a_blob(moved, first, blobs)
    for file in (first, second):
        done = annals(moved, "log", "import", str(file), "--blobs", str(blobs))
        assert done.returncode == 0, done.stderr
    again = annals(moved, "log", "import", str(second))
    assert (again.returncode, again.stderr.startswith("annals: The log here ends at position ")) == (1, True)
    monkeypatch.setattr(server, "data", moved)
    there = Served(moved).ready()
    try:
        assert seen(there.url) == before
        proof = there.verify("--blobs")
        assert proof.returncode == 0, proof.stdout + proof.stderr
    finally:
        there.destroy()


def refuse_without_a_blob(place: Path, file: Path, blobs: Path) -> None:
    """A backup without its blobs is not taken for whole, and leaves nothing behind: the whole one is taken after it."""
    lost = next(path for path in blobs.rglob("*") if path.is_file())
    kept = lost.rename(blobs.parent / lost.name)
    refused = annals(place, "log", "import", str(file), "--blobs", str(blobs))
    assert refused.returncode == 1
    assert f"Blob {lost.name} is not stored here" in refused.stderr
    kept.rename(lost)
