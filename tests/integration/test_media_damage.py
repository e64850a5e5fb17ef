"""Whatever is accepted can be decoded: cut and damaged files are found out without decoding them whole."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from domain.errors import MediaError
from infra.media.frames import compressed_frame
from infra.media.images import Frame, ImageInfo, probe

KINDS: dict[str, tuple[str, dict[str, object]]] = {
    "jpeg": ("JPEG", {"quality": 85}),
    "jpeg with restarts": ("JPEG", {"restart_marker_rows": 1}),
    "progressive jpeg": ("JPEG", {"progressive": True}),
    "png": ("PNG", {}),
    "gif": ("GIF", {}),
    "webp": ("WEBP", {"quality": 80}),
    "lossless webp": ("WEBP", {"lossless": True}),
    "bmp": ("BMP", {}),
    "tiff": ("TIFF", {}),
    "compressed tiff": ("TIFF", {"compression": "tiff_lzw"}),
    "avif": ("AVIF", {}),
    "jpeg 2000": ("JPEG2000", {}),
    "ppm": ("PPM", {}),
}
pytestmark = pytest.mark.filterwarnings("ignore:Truncated File Read", "ignore:Corrupt EXIF data")  # Pillow, on TIFF
JPEGS = ["jpeg", "jpeg with restarts", "progressive jpeg"]


def noisy(size: tuple[int, int] = (200, 150)) -> Image.Image:
    """Pixels that compress badly, so that the file consists of pixels for the most part."""
    width, height = size
    slope = np.linspace(0, 200, width * height).reshape(height, width, 1)
    return Image.fromarray((slope + np.random.default_rng(1).integers(0, 55, (height, width, 3))).astype(np.uint8))


def file_of(kind: str) -> bytes:
    format, options = KINDS[kind]
    out = io.BytesIO()
    noisy().save(out, format, **options)
    return out.getvalue()


FILES = {kind: file_of(kind) for kind in KINDS}


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> Frame:
    return Frame(tmp_path_factory.mktemp("media") / "stored-file", "holiday photo.png")


def is_accepted(frame: Frame, content: bytes) -> bool:
    """And if not, the message names the file as its owner does, and not as we do."""
    frame.path.write_bytes(content)
    try:
        probe(frame)
    except MediaError as refusal:
        message = refusal.message
    else:
        return True
    assert message.startswith("holiday photo.png ")
    assert "stored-file" not in message
    return False


def pixels(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content)) as image:
        return image.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_file_is_accepted(frame: Frame, kind: str) -> None:
    assert is_accepted(frame, FILES[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_file_is_refused_unless_all_pixels_are_there(frame: Frame, kind: str) -> None:
    content = FILES[kind]
    step = max(1, len(content) // 150)
    accepted = [
        end
        for end in {*range(1, len(content), step), *range(len(content) - 20, len(content))}
        if is_accepted(frame, content[:end])
    ]
    assert all(pixels(content[:end]) == pixels(content) for end in accepted)
    assert len(accepted) <= 2  # a GIF may lack the two bytes that only say that it ends


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_whose_end_was_lost_to_zeros_is_refused_or_can_be_shown(frame: Frame, kind: str) -> None:
    content = FILES[kind]
    if is_accepted(frame, content[: len(content) // 2] + bytes(len(content) - len(content) // 2)):
        assert compressed_frame(frame, 70)


@pytest.mark.parametrize("kind", ["jpeg", "jpeg with restarts", "progressive jpeg", "png", "jpeg 2000"])
def test_a_file_that_lost_its_second_half_to_zeros_is_refused(frame: Frame, kind: str) -> None:
    content = FILES[kind]
    assert not is_accepted(frame, content[: len(content) // 2] + bytes(len(content) - len(content) // 2))


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_single_wrong_bit_in_a_png_is_noticed(frame: Frame, place: float, bit: int) -> None:
    content = bytearray(FILES["png"])
    content[int(place * len(content))] ^= 1 << bit
    assert not is_accepted(frame, bytes(content))


@given(
    kind=st.sampled_from(JPEGS),
    start=st.floats(0, 1),
    removed=st.integers(0, 400),
    added=st.binary(max_size=40),
    in_header=st.booleans(),
)
@example(kind="jpeg", start=0.6, removed=0, added=b"\xff\xc4\x00\x04\x00\x00", in_header=False)
@example(kind="jpeg", start=0.6, removed=2, added=b"\xff\xd9", in_header=False)
@example(kind="jpeg", start=0.5, removed=100, added=b"\xff\xda\x00\x02", in_header=True)
def test_a_jpeg_that_is_accepted_can_be_decoded_whole(
    frame: Frame, kind: str, start: float, removed: int, added: bytes, in_header: bool
) -> None:
    """The shortcut (headers, first bytes and the search for the end) promises no more than it can."""
    content = FILES[kind]
    position = int(start * (600 if in_header else len(content)))
    if is_accepted(frame, content[:position] + added + content[position + removed :]):
        compressed_frame(frame, 70)


def test_a_marker_in_the_middle_of_a_jpeg_is_not_passed_over(frame: Frame) -> None:
    """A second start of the frame there is harmless for the first bytes, and stops the decoder later."""
    content = FILES["jpeg"]
    start = content.index(b"\xff\xc0")
    again = content[start : start + 2 + int.from_bytes(content[start + 2 : start + 4], "big")]
    middle = len(content) * 2 // 3
    assert not is_accepted(frame, content[:middle] + again + content[middle:])


def test_a_jpeg_2000_that_ends_before_its_pixels_is_refused(frame: Frame) -> None:
    """Its decoder calls that a black picture."""
    content = FILES["jpeg 2000"]
    assert not is_accepted(frame, content[: content.index(b"\xff\x90") + 2])


@pytest.mark.parametrize("kind", JPEGS)
def test_bytes_after_the_end_of_a_jpeg_do_no_harm(frame: Frame, kind: str) -> None:
    for trailer in (b"\0" * 100, b"\xff\xff\xd9", b"\xff\xda\xff\xc4" * 1000, b"ftypmp42 a video"):
        assert is_accepted(frame, FILES[kind] + trailer)


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_picture(frame: Frame) -> None:
    thumbnail = io.BytesIO()
    noisy((16, 12)).save(thumbnail, "JPEG")
    segment = b"Exif\0\0" + thumbnail.getvalue()
    content = FILES["jpeg"]
    whole = content[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + content[2:]
    assert is_accepted(frame, whole)
    assert not is_accepted(frame, whole[:-2])
    assert not is_accepted(frame, whole[: len(segment) + 500])


def test_a_jpeg_with_padded_markers_is_accepted(frame: Frame) -> None:
    content = FILES["jpeg"]
    assert is_accepted(frame, content[:2] + b"\xff\xff\xff" + content[2:-2] + b"\xff\xff\xff\xd9")


def test_a_jpeg_of_very_many_scans_is_refused(frame: Frame) -> None:
    """Each costs a pass over the whole picture, for a few bytes."""
    content = FILES["progressive jpeg"]
    last = [match.start() for match in re.finditer(rb"\xff\xda", content)][-1]
    assert is_accepted(frame, content)
    frame.path.write_bytes(content[:-2] + content[last:-2] * 100 + b"\xff\xd9")
    with pytest.raises(MediaError, match=r"^holiday photo\.png is a JPEG of more than 100 scans"):
        probe(frame)


def test_a_large_jpeg_is_not_decoded_to_be_checked(frame: Frame) -> None:
    """Its shortcut must hold for a picture of many megabytes too, whose middle is anything but zeros."""
    out = io.BytesIO()
    noisy((2000, 1500)).save(out, "JPEG", quality=95)
    frame.path.write_bytes(out.getvalue())
    assert probe(frame) == ImageInfo(2000, 1500, "JPEG", 1)
    assert not is_accepted(frame, out.getvalue()[:-1])
