"""The tutorial, word by word: its Python is run, and its shell commands, against a server of the test's own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable

import httpx
import pytest

from ..waiting import wait_until
from .conftest import REPOSITORY, Served, annals_environment

TUTORIAL = (REPOSITORY / "docs" / "tutorial.md").read_text()


def blocks(language: str) -> list[str]:
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", TUTORIAL, re.DOTALL | re.MULTILINE)
    return [text for name, text in fences if name == language]


def here(text: str, server: Served) -> str:
    """The same with this server's addresses and folder."""
    text = text.replace("http://localhost:8080", server.url).replace(".annals", str(server.data))
    text = text.replace("localhost:8123", f"localhost:{server.info['clickhouse_port']}")
    text = text.replace("port=8123", f"port={server.info['clickhouse_port']}")
    return text.replace(".venv/bin/annals", f"{sys.executable} -P -m cli.main")


def shell(command: str, server: Served) -> str:
    done = subprocess.run(
        ["bash", "-c", command], env=annals_environment(server.data), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def drawn(server: Served) -> bool:
    query = "SELECT count() FROM cvat.events WHERE scope = 'create:shapes'"
    answer = httpx.get(server.info["clickhouse_url"], params={"query": query})
    return answer.status_code == 200 and int(answer.text) > 0


def test_the_tutorial_works_as_written(
    serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve().ready()
    monkeypatch.chdir(REPOSITORY)
    namespace: dict[str, object] = {}
    for code in blocks("python"):
        if "clickhouse_connect" in code:
            wait_until(lambda: drawn(server))  # a reader takes longer to get here
        exec(compile(here(code, server), "docs/tutorial.md", "exec"), namespace)
    printed = capsys.readouterr().out
    assert "7 [(6, 6), (4, 5), (2, 3), (0, 1)]" in printed
    assert "rectangle" in printed
    assert "create:job" in printed
    commands = [here(block, server) for block in blocks("") if "make " not in block]
    tail, curl, verify, replay = (shell(command, server) for command in commands)
    assert "split task 1 into 4 jobs" in tail
    assert "create:shapes" in curl
    assert "equal" in verify.lower()
    assert replay
