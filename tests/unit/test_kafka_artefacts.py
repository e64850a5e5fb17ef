"""Where there is no Kafka for the tests, they say why."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kafka.artefacts import NoKafka, broker_jars


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    return programs


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_no_java(empty_cache: Path) -> None:
    with pytest.raises(NoKafka, match="no `java` on this machine"):
        broker_jars()


def test_maven_that_reaches_nothing(empty_cache: Path) -> None:
    """And what it has not finished is not taken for the whole the next time."""
    program(empty_cache, "java", "exit 0")
    program(empty_cache, "mvn", "echo 'Could not transfer artifact'; exit 1")
    for _ in range(2):
        with pytest.raises(NoKafka, match="Could not transfer artifact"):
            broker_jars()


def test_jars_are_fetched_once(empty_cache: Path) -> None:
    program(empty_cache, "java", "exit 0")
    program(
        empty_cache, "mvn", 'for word; do case "$word" in -DoutputDirectory=*) /bin/mkdir -p "${word#*=}";; esac; done'
    )
    folder = broker_jars()
    assert folder.is_dir()
    (empty_cache / "mvn").unlink()
    program(empty_cache, "mvn", "exit 1")
    assert broker_jars() == folder
