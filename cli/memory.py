"""How much memory the processes of a server take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]


@dataclass(frozen=True)
class Usage:
    """`bytes`: the proportional share (PSS) where it can be read, which adds up over processes; else the resident size,
    which counts shared pages in each.
    """

    name: str
    pid: int
    bytes: int
    proportional: bool


def usages(processes: Mapping[str, int]) -> list[Usage]:
    """Of the processes (name → id) and all that they started, one entry per name: with its children added."""
    return [usage for name, pid in processes.items() for usage in _usage(name, pid)]


def _usage(name: str, pid: int) -> Iterator[Usage]:
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)] if name == "postgres" else [process]
        found = [_memory(member) for member in family]
        yield Usage(name, pid, sum(size for size, _ in found), all(proportional for _, proportional in found))
    except psutil.NoSuchProcess:
        return


def _memory(process: psutil.Process) -> tuple[int, bool]:
    try:
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024, True
    except OSError:
        pass  # another system, or another account's process
    try:
        return process.memory_info().rss, False
    except psutil.NoSuchProcess:  # a database connection that was closed meanwhile
        return 0, True
