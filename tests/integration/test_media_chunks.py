"""Frames in a zip, in order, as CVAT's clients read them."""

from __future__ import annotations

import io
import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import Base

from domain.errors import MediaError
from infra.media.chunks import checksum, compressed_chunk, file_checksum, original_chunk
from infra.media.frames import compressed_frame, original_frame, placeholder_frame
from infra.media.images import Frame
from infra.media.pool import THREADS, in_order

PHOTOS = Path(__file__).parents[2] / "examples" / "photos"
NAMES = ["rocket.jpg", "coins.png", "chelsea.png", "rocket.jpg", "astronaut.png"]


@pytest.fixture
def frames() -> list[Frame]:
    return [Frame(PHOTOS / name, f"folder/{name}") for name in NAMES]


def compressed(frames: Sequence[Frame | None], quality: int = 70) -> bytes:
    out = io.BytesIO()
    compressed_chunk(frames, quality, out)
    return out.getvalue()


def original(frames: Sequence[Frame | None]) -> bytes:
    out = io.BytesIO()
    original_chunk(frames, out)
    return out.getvalue()


def entries(chunk: bytes) -> list[tuple[str, bytes]]:
    with ZipFile(io.BytesIO(chunk)) as archive:
        assert archive.testzip() is None
        assert {entry.compress_type for entry in archive.infolist()} <= {ZIP_STORED}
        return [(entry.filename, archive.read(entry)) for entry in archive.infolist()]


def test_a_compressed_chunk_holds_the_frames_in_order(frames: list[Frame]) -> None:
    assert entries(compressed(frames, 60)) == [
        (f"{index:06d}.jpeg", compressed_frame(frame, 60)) for index, frame in enumerate(frames)
    ]


def test_an_original_chunk_holds_the_very_files(frames: list[Frame]) -> None:
    assert entries(original(frames)) == [
        (f"{index:06d}.{name[-3:]}", (PHOTOS / name).read_bytes()) for index, name in enumerate(NAMES)
    ]


def test_turned_originals_are_written_upright(tmp_path: Path, frames: list[Frame]) -> None:
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    Image.new("RGB", (20, 10)).save(tmp_path / "turned", "JPEG", exif=exif)
    turned = Frame(tmp_path / "turned", "turned.jpg")
    (name, content), (_, plain) = entries(original([turned, frames[0]]))
    assert (name, content) == ("000000.jpg", original_frame(turned)[0])
    assert Image.open(io.BytesIO(content)).size == (10, 20)
    assert plain == frames[0].path.read_bytes()


def test_the_same_frames_give_the_same_bytes(frames: list[Frame]) -> None:
    assert compressed(frames) == compressed(frames)
    assert original(frames) == original(frames)


def test_frames_that_are_left_out_keep_their_place(frames: list[Frame]) -> None:
    for chunk in (compressed([None, frames[0], None]), original([None, frames[0], None])):
        read = entries(chunk)
        assert [name[:6] for name, _ in read] == ["000000", "000001", "000002"]
        assert [content == placeholder_frame() for _, content in read] == [True, False, True]


def test_an_empty_chunk_is_an_empty_zip() -> None:
    assert entries(compressed([])) == entries(original([])) == []


@pytest.mark.parametrize("name", ["photo", "photo.", "photo.j/pg", "photo.jp g", "photo.éé", "x." + "y" * 30, "..", ""])
def test_a_strange_extension_stays_out_of_the_zip(name: str) -> None:
    assert [name for name, _ in entries(original([Frame(PHOTOS / "coins.png", name)]))] == ["000000.bin"]


def test_a_damaged_frame_is_named(tmp_path: Path, frames: list[Frame]) -> None:
    (tmp_path / "cut").write_bytes(frames[1].path.read_bytes()[:5000])
    damaged = Frame(tmp_path / "cut", "folder/cut.png")
    with pytest.raises(MediaError, match=r"^folder/cut.png "):
        compressed([*frames * 3, damaged, *frames * 3])


def test_the_checksum_is_cvats() -> None:
    """The CRC-32 of the length as text, followed by the first 1,000 bytes."""
    content = bytes(range(256)) * 10
    assert checksum(len(content), content) == zlib.crc32(b"2560" + content[:1000])
    assert checksum(3, b"abc") == zlib.crc32(b"3abc")


@given(content=st.binary(max_size=3000))
def test_the_checksum_of_a_file_is_that_of_its_content(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "checked"
    path.write_bytes(content)
    assert file_checksum(path) == checksum(len(content), content)


@given(count=st.integers(0, 50))
def test_work_on_several_threads_keeps_the_order(count: int) -> None:
    assert list(in_order(lambda number: number * 2, range(count))) == [number * 2 for number in range(count)]


def test_work_goes_on_side_by_side_but_not_far_ahead() -> None:
    taken: list[int] = []
    together = threading.Barrier(min(2, THREADS))

    def items() -> Iterator[int]:
        for number in range(20 * THREADS):
            taken.append(number)
            yield number

    def work(number: int) -> int:
        if number < together.parties:
            together.wait(60)  # broken unless as many run at the same time
        return number

    assert max(taken[-1] - number for number in in_order(work, items())) <= 2 * THREADS


def test_the_first_error_ends_the_work() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        if number == 3:
            raise MediaError("three")
        done.append(number)

    with pytest.raises(MediaError, match="three"):
        list(in_order(work, range(1000)))
    assert len(done) < 3 + 2 * THREADS + 1
