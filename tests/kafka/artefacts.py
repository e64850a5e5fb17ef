"""The jars of a Kafka broker, brought by Maven once for all test runs of a machine."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from infra.postgres.locks import FolderLock

POM = Path(__file__).with_name("pom.xml")
DOWNLOAD_SECONDS = 300
TRIES = 3
"""A network may fail for a moment."""


class NoKafka(Exception):
    """There is no broker to test with; the message says why."""


def broker_jars() -> Path:
    """The folder with the jars of pom.xml, in the user's cache folder. Several processes may ask at once.

    Raises NoKafka when Java or Maven is missing, or Maven can't reach its repository.
    """
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise NoKafka(f"there is no `{program}` on this machine")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "annals-tests"
    cache.mkdir(parents=True, exist_ok=True)
    # Of its own for every content of the pom: after a change of version nobody finds the old jars.
    folder = cache / f"kafka-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"
    with FolderLock(cache / "kafka.lock").hold(TRIES * DOWNLOAD_SECONDS + 10):
        for tries_left in reversed(range(TRIES)):
            if folder.exists():
                break
            try:
                _download(folder)
            except NoKafka:
                if not tries_left:
                    raise
    return folder


def _download(folder: Path) -> None:
    """Into a folder beside it first: one that was interrupted must not pass for the whole."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        jars = Path(place) / "jars"
        command = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
        try:
            subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=True)
        except subprocess.CalledProcessError as error:
            raise NoKafka(f"Maven could not fetch Kafka: {(error.stdout + error.stderr).strip()[-500:]}") from None
        except subprocess.TimeoutExpired:
            raise NoKafka(f"Maven did not fetch Kafka within {DOWNLOAD_SECONDS} s") from None
        jars.rename(folder)
