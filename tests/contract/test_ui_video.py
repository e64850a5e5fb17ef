"""CVAT's web UI opens a video."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from . import ui_pages as pages
from .clips import number_of, write_clip
from .ui import Browser, browser, site

__all__ = ["browser", "site"]


def test_a_video_is_opened_frame_by_frame(browser: Browser, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=12)
    task = pages.create_task(browser, "film", [clip], labels=[{"name": "car", "attributes": [], "type": "any"}])
    assert (task["mode"], task["size"]) == ("interpolation", 12)
    (job,) = pages.task_page(browser, task["id"])[1]
    job, meta, _ = pages.annotation_view(browser, task["id"], job["id"])
    assert (job["data_compressed_chunk_type"], meta["start_frame"], meta["stop_frame"]) == ("imageset", 0, 11)
    with zipfile.ZipFile(io.BytesIO(pages.chunk(browser, job["id"], 0).content)) as archive:
        assert [number_of(archive.read(entry)) for entry in archive.infolist()] == list(range(12))
