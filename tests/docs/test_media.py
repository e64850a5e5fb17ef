"""The page about media tells what is so."""

from __future__ import annotations

import re
from pathlib import Path

from domain.frames import VIDEO_CHUNK_SIZE
from domain.media import ARCHIVES, VIDEOS
from infra.archives.members import RATIO
from infra.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "media.md").read_text()


def test_extensions() -> None:
    for extensions, start in ((ARCHIVES, "- Archives: "), (VIDEOS, "Extensions ")):
        [line] = [line for line in PAGE.splitlines() if line.startswith(start)]
        assert re.findall(r"`(\.[\w.]+)`", line) == list(extensions)


def test_settings() -> None:
    named = set(re.findall(r"`ANNALS_(\w+)`", PAGE))
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_figures() -> None:
    assert f"Chunks of {VIDEO_CHUNK_SIZE} frames" in PAGE
    assert f"more than {RATIO} times its size" in PAGE
