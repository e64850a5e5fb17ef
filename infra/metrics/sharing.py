"""The folder in which the processes of one server keep what they count.

A process's files bear the name of its place (`api-1`), not its id: whoever is started in the place of one that died
goes on counting where that one stopped, and the folder does not grow. Gauges tell of a process that runs; they go with
it.
"""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus_client's own name for it; whoever sets it by hand gets files by process id."""

_name: str | None = None


def prepare(folder: Path) -> None:
    """Makes it, or empties it of what an earlier server counted."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for file in folder.glob("*.db"):
        file.unlink(missing_ok=True)


def share(folder: Path, name: str) -> None:
    """From now on this process counts in `folder`, under `name`, which nobody else has at the same time. To be called
    before a metric is declared.
    """
    global _name
    forget_gauges(folder, name)
    os.environ[VARIABLE] = str(folder)
    _name = name


def forget_gauges(folder: Path, name: str) -> None:
    """The process of this name has ended: it holds nothing any more, and is behind with nothing."""
    for file in folder.glob(f"gauge_*_{name}.db"):
        file.unlink(missing_ok=True)


def shared_folder() -> Path | None:
    """None for a process that counts by itself."""
    folder = os.environ.get(VARIABLE)
    return Path(folder) if folder else None


def own_name() -> str | None:
    """Under which this process shares."""
    return _name
