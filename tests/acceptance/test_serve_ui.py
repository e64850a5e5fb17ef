"""`annals serve --ui`: a built web UI beside the API, from one command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx

from .conftest import Served, annals_environment


def test_a_built_ui_is_served_beside_the_api(serve: Callable[..., Served], tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>the page</h1>")
    folder = os.path.relpath(tmp_path)
    server = serve("--ui", folder).ready()
    assert httpx.get(f"{server.url}/tasks/1").text == "<h1>the page</h1>"
    assert httpx.get(f"{server.url}/api/server/about").json()["name"] == "Annals"
    assert httpx.get(f"{server.url}/api/nothing").json() == {"detail": "Not found."}
    assert server.stop() == 0


def test_a_folder_without_a_page_is_refused(data_folder: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "cli.main", "serve"],
        env=annals_environment(data_folder) | {"ANNALS_UI": str(tmp_path), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 2
    assert f"{tmp_path} holds no index.html" in done.stderr
    assert not data_folder.exists()
