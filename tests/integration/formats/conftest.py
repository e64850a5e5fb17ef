"""What tests of exports and imports start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.bootstrap import System
from infra.settings import Settings

from ..agents.work import running
from .desk import LABELS, Desk


@pytest.fixture
def settings(data_folder: Path) -> Settings:
    return Settings(data=data_folder, lease_seconds=2)


@pytest.fixture
def desk(system: System, settings: Settings) -> Iterator[Desk]:
    """Somebody's desk, with an agent at work."""
    with running(system, settings):
        yield Desk(system, settings)


@pytest.fixture
def task(desk: Desk) -> int:
    """Ten frames in three jobs that overlap by a frame; nothing is drawn yet."""
    return desk.task("street", LABELS, frames=10, segment_size=4, overlap=1)
