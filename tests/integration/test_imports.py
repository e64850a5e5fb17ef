"""Each module of a command can be the first that a process imports, with what it imports when it runs. Servers' are not
looked at: they are started often enough.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
OURS = ("domain", "projections", "infra", "consumers", "cli")
PROGRAM = """
import os, sys
import clickhouse_connect, eventsourcing.persistence, httpx, numpy.random, psycopg_pool
import pydantic_settings, structlog, typer
for line in sys.stdin.read().splitlines():
    if not os.fork():
        for name in line.split():
            __import__(name)
        sys.stdout.write(line.split()[0] + "\\n")
        sys.stdout.flush()
        os._exit(0)
    os.wait()
"""
"""A fork for each line of modules. The libraries are loaded once for all."""


def imported_later(file: Path) -> list[str]:
    """Our modules that functions of a file import."""
    functions = [one for one in ast.walk(ast.parse(file.read_text())) if isinstance(one, ast.FunctionDef)]
    found = [one for function in functions for one in ast.walk(function) if isinstance(one, ast.ImportFrom)]
    return [one.module for one in found if one.module is not None and one.module.split(".")[0] in OURS]


def test_each_module_of_a_command_can_come_first() -> None:
    files = {
        ".".join(file.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__"): file
        for file in sorted((REPOSITORY / "cli").rglob("*.py"))
        if file.parent.name not in ("roles", "serving")
    }
    lines = [" ".join([name, *imported_later(file)]) for name, file in files.items()]
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM],
        input="\n".join(lines),
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert set(done.stdout.split()) == set(files), done.stderr
