"""The unmodified `cvat-cli`, as a process of its own: every command that this server has the resources for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cvat_sdk import Client
from PIL import Image

from .conftest import ADMIN, Server
from .pictures import write

Run = Callable[..., str]
LABELS = '[{"name": "car"}, {"name": "dog"}]'

DETECTOR = """
import cvat_sdk.auto_annotation as cvataa

spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("car", 0)])

def detect(context, image):
    return [cvataa.rectangle(0, [1, 2, image.width - 3, image.height - 4])]
"""


@pytest.fixture
def cli(server: Server, tmp_path: Path) -> Run:
    """Runs a command as the administrator; returns what it prints."""
    home = tmp_path / "home"
    home.mkdir()

    def run(*words: object, auth: bool = True, **environment: str) -> str:
        command = [sys.executable, "-m", "cvat_cli"]
        if auth:
            command += ["--auth", ":".join(ADMIN), "--server-host", "http://127.0.0.1"]
            command += ["--server-port", str(server.port)]
        known = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")}
        done = subprocess.run(
            [*command, *map(str, words)],
            env=known | environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture
def task_id(cli: Run, client: Client, tmp_path: Path) -> int:
    files = write(tmp_path, ["a.jpg", "b.jpg", "c.jpg"])
    printed = cli(
        "task", "create", "street", "local", *files, "--labels", LABELS, "--segment_size", 2, "--overlap", 1,
        "--image_quality", 50, "--sorting-method", "natural", "--subset", "Train", "--use_cache",
        "--completion_verification_period", 1,
    )  # fmt: skip
    return int(printed.split()[-1])


def test_tasks_are_created_listed_and_deleted(cli: Run, client: Client, task_id: int) -> None:
    task = client.tasks.retrieve(task_id)
    assert (task.name, task.size, task.segment_size, task.overlap) == ("street", 3, 2, 1)
    assert (task.image_quality, task.subset) == (50, "Train")
    assert cli("task", "ls").split() == [str(task_id)]
    assert [found["id"] for found in json.loads(cli("task", "ls", "--json"))] == [task_id]
    cli("task", "delete", task_id, 999)
    assert cli("task", "ls") == ""


def test_frames_are_saved(cli: Run, task_id: int, tmp_path: Path) -> None:
    cli("task", "frames", task_id, 0, 2, "--outdir", tmp_path / "frames")
    cli("task", "frames", task_id, 1, "--outdir", tmp_path / "frames", "--quality", "compressed")
    sizes = {Image.open(file).size for file in (tmp_path / "frames").iterdir()}
    assert len(list((tmp_path / "frames").iterdir())) == 3
    assert sizes == {Image.open(tmp_path / "a.jpg").size}


def test_annotations_go_out_and_come_in(cli: Run, client: Client, task_id: int, tmp_path: Path) -> None:
    (tmp_path / "detector.py").write_text(DETECTOR)
    cli("task", "auto-annotate", task_id, "--function-file", tmp_path / "detector.py", "--allow-unmatched-labels")
    task = client.tasks.retrieve(task_id)
    before = [(shape.frame, shape.points) for shape in task.get_annotations().shapes]
    assert len(before) == 3
    period = ("--completion_verification_period", 1)
    cli("task", "export-dataset", task_id, tmp_path / "out.zip", "--with-images", "no", *period)
    assert zipfile.ZipFile(tmp_path / "out.zip").namelist() == ["annotations.xml"]
    cli("task", "export-dataset", task_id, tmp_path / "full.zip", "--with-images", "yes", *period)
    assert len(zipfile.ZipFile(tmp_path / "full.zip").namelist()) == 4
    task.remove_annotations()
    cli("task", "import-dataset", task_id, tmp_path / "out.zip")
    assert [(shape.frame, shape.points) for shape in task.get_annotations().shapes] == before


def test_projects_take_datasets_in_and_give_them_out(cli: Run, client: Client, task_id: int, tmp_path: Path) -> None:
    project_id = int(cli("project", "create", "city", "--labels", LABELS).split()[-1])
    assert cli("project", "ls").split() == [str(project_id)]
    cli("task", "export-dataset", task_id, tmp_path / "task.zip", "--with-images", "yes")
    cli("project", "import-dataset", project_id, tmp_path / "task.zip")
    (task,) = client.projects.retrieve(project_id).get_tasks()
    assert task.size == 3
    cli("project", "export-dataset", project_id, tmp_path / "project.zip", "--completion_verification_period", 1)
    assert "annotations.xml" in zipfile.ZipFile(tmp_path / "project.zip").namelist()
    cli("project", "delete", project_id)
    assert cli("project", "ls") == ""


def test_profiles_keep_a_token(cli: Run, client: Client, server: Server, task_id: int) -> None:
    token, _ = client.api_client.auth_api.create_access_tokens(access_token_write_request={"name": "laptop"})
    host = ("--server-host", "http://127.0.0.1", "--server-port", server.port)
    cli(*host, "profile", "create", token.value, "--set-default", auth=False)
    assert cli("profile", "list", "--names-only", auth=False).split() == ["laptop"]
    assert "laptop" in cli("profile", "default", auth=False)
    assert cli("task", "ls", auth=False).split() == [str(task_id)]
    assert cli("--profile", "laptop", "task", "ls", auth=False).split() == [str(task_id)]
    cli("profile", "delete", "laptop", auth=False)
    assert cli("profile", "list", "--names-only", auth=False) == ""
    assert cli(*host, "task", "ls", auth=False, CVAT_ACCESS_TOKEN=token.value).split() == [str(task_id)]


def test_commands_under_their_old_names(cli: Run, client: Client, task_id: int, tmp_path: Path) -> None:
    assert cli("ls").split() == [str(task_id)]
    cli("dump", task_id, tmp_path / "dump.zip", "--completion_verification_period", 1)
    cli("upload", task_id, tmp_path / "dump.zip")
    cli("delete", task_id)
    assert client.tasks.list() == []
