"""docs/how-to/restore-lost-annotations.md, word by word: its commands are run, and print what the guide says."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
from collections.abc import Callable

import pytest

from .conftest import REPOSITORY, Served, annals_environment

GUIDE = (REPOSITORY / "docs" / "how-to" / "restore-lost-annotations.md").read_text()
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
VARYING = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z|cvat_sdk/[\d.]+")


def here(text: str, server: Served) -> str:
    return text.replace("http://localhost:8080", server.url).replace(".annals", str(server.data))


def comparable(text: str) -> str:
    """Without times and versions of clients."""
    return VARYING.sub("…", text).strip()


class Reader:
    """Somebody who types one block after the other, into the same Python and the same shell."""

    def __init__(self, server: Served) -> None:
        self._server = server
        self._namespace: dict[str, object] = {}
        self._typed = ""

    def python(self, code: str) -> str:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(here(code, self._server), "guide", "exec"), self._namespace)
        return printed.getvalue()

    def sh(self, command: str) -> str:
        """Variables that were set before stand; what was asked before is not asked again."""
        settings = "".join(line + "\n" for line in self._typed.splitlines() if re.match(r"[A-Z]+=", line))
        self._typed += command
        done = subprocess.run(
            ["bash", "-c", here(settings + command, self._server)],
            env=annals_environment(self._server.data),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def test_the_guide_works_as_written(serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    reader = Reader(serve().ready())
    blocks = BLOCK.findall(GUIDE)
    assert [language for language, _ in blocks[::2]].count("sh") == 4
    for (language, typed), (plain, expected) in zip(blocks[::2], blocks[1::2], strict=True):
        assert plain == ""
        assert comparable(getattr(reader, language)(typed)) == comparable(expected)
