"""Files that are not what they say."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from cvat_sdk import Client
from cvat_sdk.core.exceptions import BackgroundRequestException

from .pictures import noise, write
from .test_data import create


def png(width: int, height: int, rows: bytes) -> bytes:
    """A grey picture that says it has this size, with checksums that are right."""

    def part(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (png(60_000, 60_000, b""), "has 3,600,000,000 pixels"),
        (png(65_501, 1, bytes(65_502)), "at most 65500 a side"),
        (png(0, 10, b""), "damaged|no pixels|not an image"),
        (b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + bytes(20), "pixels|damaged|not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", "not an image"),
        (noise()[:300], "incomplete"),
    ],
    ids=["bomb", "long", "nothing", "gif", "program", "drawing", "cut"],
)
def test_an_image_that_lies_is_named_and_nothing_changes(
    client: Client, tmp_path: Path, content: bytes, message: str
) -> None:
    files = write(tmp_path, ["a.jpg"])
    (tmp_path / "liar.jpg").write_bytes(content)
    with pytest.raises(BackgroundRequestException, match=rf"liar\.jpg .*({message})"):
        create(client, [*files, tmp_path / "liar.jpg"])
    [task] = client.tasks.list()
    assert task.jobs.count == 0
