"""`annals demo`: the main job, from an empty folder to the proof, on whatever machine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import psutil

from .conftest import annals_environment


def demo(temporary: Path, *arguments: str) -> str:
    """What it printed; it must have succeeded."""
    temporary.mkdir(exist_ok=True)
    temporary.chmod(0o711)
    environment = annals_environment(temporary / "unused") | {"TMPDIR": str(temporary)}
    # Settings for another server must not draw the demo there.
    environment |= {"ANNALS_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/", "ANNALS_PORT": "1"}
    command = [sys.executable, "-P", "-m", "cli.main", "demo", *arguments]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    return ended.stdout


def running_in(folder: Path) -> list[psutil.Process]:
    found = psutil.process_iter(["cwd", "cmdline"])
    return [one for one in found if str(folder) in " ".join([one.info["cwd"] or "", *(one.info["cmdline"] or [])])]


def test_it_works_and_cleans_up(data_folder: Path) -> None:
    told = demo(data_folder)
    assert re.search(r"\nEverything is equal, up to position \d\d\.\n\Z", told)
    assert re.search(r"^ +\d+  \d\d:\d\d:\d\d  agent split task 1 into 4 jobs$", told, re.MULTILINE)
    assert list(data_folder.glob("annals-*")) == []  # what else there is, CVAT's client has left
    assert running_in(data_folder) == []


def test_it_takes_ones_own_photos_and_folder_and_works_twice_in_a_row(data_folder: Path) -> None:
    photos = data_folder.parent / "mine"
    photos.mkdir()
    examples = Path(__file__).parents[2] / "examples" / "photos"
    for name in ("rocket.jpg", "coins.png", "retina.jpg"):
        (photos / name).write_bytes((examples / name).read_bytes())
    kept = data_folder.parent / "kept"
    for task in (1, 3):
        told = demo(data_folder, str(photos), "--data", str(kept))
        assert f"agent split task {task} into 2 jobs" in told
    assert (kept / "postgres").exists()


def test_a_folder_that_is_not_there_is_a_wrong_command_line(data_folder: Path) -> None:
    command = [sys.executable, "-P", "-m", "cli.main", "demo", str(data_folder / "nowhere")]
    environment = annals_environment(data_folder)
    refused = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert refused.returncode == 2
    assert "nowhere is not a folder" in " ".join(refused.stderr.replace("│", "").split())
