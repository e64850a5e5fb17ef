"""What tests of agents start from."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from cli.bootstrap import System
from domain.events.data import ReceivedFile
from infra.blobs import FileBlobs
from infra.settings import Settings

from .work import Work

FRAMES = 5


@pytest.fixture
def settings(data_folder: Path) -> Settings:
    """With the shortest lease there is."""
    return Settings(data=data_folder, lease_seconds=2)


@pytest.fixture
def blobs(settings: Settings) -> FileBlobs:
    return FileBlobs(settings.blobs)


@pytest.fixture
def photos(blobs: FileBlobs) -> list[ReceivedFile]:
    """Five stored pictures."""
    files = []
    for number in range(FRAMES):
        out = io.BytesIO()
        Image.new("RGB", (640, 480), (number, 0, 0)).save(out, "JPEG")
        blob = blobs.put([out.getvalue()])
        files.append(ReceivedFile(name=f"{number}.jpg", sha256=blob.sha256, size=blob.size))
    return files


@pytest.fixture
def work(system: System, photos: list[ReceivedFile]) -> Work:
    return Work(system, photos)
