"""Somebody who follows a guide of docs/how-to word by word, and compares what is printed with what it says."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys

from ..ports import free_port
from .conftest import REPOSITORY, Served, annals_environment

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
VARYING = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z|cvat_sdk/[\d.]+|in [\d.]+ s \([\d,]+ events/s\)")


def text_of(guide: str) -> str:
    return (REPOSITORY / "docs" / "how-to" / guide).read_text()


def comparable(text: str) -> str:
    """Without times, speeds and versions of clients."""
    return VARYING.sub("…", text).strip()


class Reader:
    """Types one block after the other, into the same Python and the same shell."""

    def __init__(self, server: Served) -> None:
        self._server = server
        self._namespace: dict[str, object] = {}
        self._typed = ""
        self._second_port = str(free_port())

    def follow(self, guide: str) -> int:
        """Returns how many blocks were typed. What is printed must be what the block behind says, if there is one."""
        count, printed = 0, ""
        for language, text in BLOCK.findall(text_of(guide)):
            if language in ("python", "sh"):
                printed = getattr(self, language)(text)
                count += 1
            elif not language:
                assert comparable(printed) == comparable(text)
        return count

    def python(self, code: str) -> str:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(self._here(code), "guide", "exec"), self._namespace)
        return printed.getvalue()

    def sh(self, command: str) -> str:
        """Variables that were set before stand; what was asked before is not asked again."""
        settings = "".join(line + "\n" for line in self._typed.splitlines() if re.match(r"[A-Z]+=", line))
        self._typed += command
        done = subprocess.run(
            ["bash", "-c", self._here(settings + command)],
            env=annals_environment(self._server.data),
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _here(self, text: str) -> str:
        """The same with this server's address, folder and Python."""
        text = text.replace("http://localhost:8080", self._server.url).replace(".annals", str(self._server.data))
        text = text.replace("8090", self._second_port)
        programs = {"annals": f"{sys.executable} -P -m cli.main", "python": sys.executable}
        return re.sub(r"\.venv/bin/(annals|python)\b", lambda found: programs[found[1]], text)
