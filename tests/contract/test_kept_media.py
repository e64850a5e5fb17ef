"""What tasks are made from is kept as long as they are: also what no client sent as it is stored."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from cvat_sdk import Client

from cli.purging import purge
from infra.blobs import FileBlobs
from infra.eventlog.reader import LogReader
from projections.registry import all_projections
from projections.verify import verify

from .clips import number_of, write_clip
from .conftest import Server
from .pictures import noise
from .test_archives import pack
from .test_data import create, stored_files


def purged(server: Server, *task_ids: int) -> int:
    """How many blobs went with some deleted tasks."""
    return purge(server.system, server.services.blobs, task_ids, dry_run=False).blobs


def test_blobs_of_videos_and_archives_are_known(
    client: Client, http: httpx.Client, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.purging.GRACE_SECONDS", -60)
    clip = create(client, [write_clip(tmp_path / "clip.mp4", 10)])
    beside = {"a.jpg": noise(seed=1), "related_images/a_jpg/b.jpg": noise(seed=2)}
    packed = create(client, [pack(tmp_path / "a.zip", beside)])
    assert len(stored_files(server)) == 2 + 3

    def findings() -> list[str | None]:
        with server.system.database.connect() as connection:
            log, blobs = LogReader(), FileBlobs(server.settings.blobs)
            return [
                found.difference
                for found in verify(connection, log, all_projections().projections, blobs, hash_blobs=True).findings
            ]

    assert set(findings()) == {None}
    assert purged(server) == 0
    packed.remove()
    assert purged(server, packed.id) == 3
    assert number_of(clip.get_frame(7).read()) == 7
    [index] = [path for path in stored_files(server) if path.stat().st_size < 2_000]
    index.unlink()
    assert any(found and "clip.mp4.index" in found for found in findings())
    clip.remove()
    assert purged(server, clip.id) == 1
    assert stored_files(server) == []
