"""What the starts of all brokers have in common, made once for all test runs of a machine."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from infra.postgres.locks import FolderLock
from tests.kafka.broker import START_SECONDS, Cluster, Prepared


def prepared(jars: Path) -> Prepared:
    """In the cache beside `jars`, for these and this Java. Several processes may ask at once. Raises NoKafka."""
    java = Path(shutil.which("java") or "java").resolve()
    folder = jars.with_name(f"{jars.name}-{java.stat().st_mtime_ns:x}")
    with FolderLock(jars.with_name("prepared.lock")).hold(2 * START_SECONDS):
        if not folder.exists():
            _make(jars, folder)
    return _in(folder)


def _make(jars: Path, folder: Path) -> None:
    """Into a folder beside it first: one that was interrupted must not pass for the whole."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        unfinished = Path(place) / "unfinished"
        unfinished.mkdir()
        Cluster(jars, Path(place) / "brokers", 1).prepare(_in(unfinished))
        unfinished.rename(folder)


def _in(folder: Path) -> Prepared:
    return Prepared(folder / "classes.jsa", folder / "bootstrap.checkpoint")
