"""What counts as a picture, how large it is as displayed, and what is refused, in words that name the file."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL
import pytest
from PIL import Image
from PIL.ExifTags import Base

from domain.errors import MediaError
from infra.media.frames import compressed_frame, original_frame, preview
from infra.media.images import Frame, ImageInfo, Limits, probe, probe_all

PHOTOS = Path(__file__).parents[2] / "examples" / "photos"
WIDTH, HEIGHT = 64, 48
MODES_OF = {
    "JPEG": ["L", "RGB", "CMYK"],
    "PNG": ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"],
    "GIF": ["1", "L", "P", "RGB", "RGBA"],
    "WEBP": ["L", "RGB", "RGBA"],
    "BMP": ["1", "L", "P", "RGB", "RGBA"],
    "TIFF": ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I", "F", "I;16", "I;16B"],
    "AVIF": ["L", "RGB", "RGBA"],
    "JPEG2000": ["L", "RGB", "RGBA", "I;16"],
    "PPM": ["1", "L", "RGB", "I", "F"],
}
if int(PIL.__version__.split(".")[0]) < 13:
    MODES_OF["TIFF"].remove("YCbCr")  # which Pillow 12 can write, but not read again
KINDS = [(format, mode) for format, modes in MODES_OF.items() for mode in modes]

# EXIF 2.3, tag 274: where the picture's first row and first column are on display. From the
# picture as displayed to the pixels as stored.
STORED_AS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda shown: shown,
    2: lambda shown: shown[:, ::-1],
    3: lambda shown: shown[::-1, ::-1],
    4: lambda shown: shown[::-1],
    5: lambda shown: shown.swapaxes(0, 1),
    6: lambda shown: shown[:, ::-1].swapaxes(0, 1),
    7: lambda shown: shown[::-1, ::-1].swapaxes(0, 1),
    8: lambda shown: shown[::-1].swapaxes(0, 1),
}


def four_colours() -> np.ndarray:
    """A picture that looks different whichever way it is turned."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[:24, :32] = 230, 30, 30
    pixels[:24, 32:] = 30, 200, 30
    pixels[24:, :32] = 40, 40, 230
    pixels[24:, 32:] = 240, 240, 240
    return pixels


def picture(mode: str) -> Image.Image:
    """The four colours in a mode of Pillow's."""
    image = Image.fromarray(four_colours())
    if mode in ("I;16", "I;16B"):
        deep = np.asarray(image.convert("L")).astype(">u2" if mode == "I;16B" else "<u2") * 200 + 100
        return Image.frombytes(mode, image.size, deep.tobytes())
    if mode in ("I", "F"):
        return image.convert("L").convert(mode)
    if mode == "P":
        return image.quantize(4)
    return image.convert("RGBA").convert(mode) if mode == "LA" else image.convert(mode)


def saved(path: Path, image: Image.Image, format: str, **options: object) -> Frame:
    image.save(path, format, **options)
    return Frame(path, "folder/holiday.png")


def stored(path: Path, content: bytes) -> Frame:
    path.write_bytes(content)
    return Frame(path, "folder/holiday.png")


def turned(path: Path, format: str, orientation: int) -> Frame:
    """The four colours, to be displayed as they are, stored turned."""
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    image = Image.fromarray(np.ascontiguousarray(STORED_AS[orientation](four_colours())))
    options: dict[str, int] = {"JPEG": {"quality": 95}, "WEBP": {"lossless": 1}}.get(format, {})
    return saved(path, image, format, exif=exif, **options)


def decoded(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        return image


def assert_shows_four_colours(image: Image.Image, tolerance: int) -> None:
    """The middle of each quarter; edges are blurred by compression."""
    assert image.size == (WIDTH, HEIGHT)
    pixels = np.asarray(image.convert("RGB")).astype(int)
    for row in (12, 36):
        for column in (16, 48):
            near, expected = pixels[row, column], four_colours()[row, column]
            assert abs(near - expected).max() <= tolerance, (row, column, near, expected)


@pytest.mark.parametrize(("format", "mode"), KINDS)
def test_every_kind_of_picture_can_be_measured_and_shown(tmp_path: Path, format: str, mode: str) -> None:
    frame = saved(tmp_path / "stored", picture(mode), format)
    assert probe(frame) == ImageInfo(WIDTH, HEIGHT, format, 1)
    shown = decoded(compressed_frame(frame, 90))
    assert (shown.format, shown.size) == ("JPEG", (WIDTH, HEIGHT))
    assert shown.mode in ("RGB", "L")
    assert decoded(preview(frame)).size == (WIDTH, HEIGHT)
    assert original_frame(frame)[0] == frame.path.read_bytes()


@pytest.mark.parametrize(
    ("format", "mode"),
    [kind for kind in KINDS if kind[1] in ("RGB", "RGBA", "P", "CMYK", "YCbCr") and kind[0] != "AVIF"],
)
def test_colours_survive(tmp_path: Path, format: str, mode: str) -> None:
    frame = saved(tmp_path / "stored", picture(mode), format)
    assert_shows_four_colours(decoded(compressed_frame(frame, 95)), 16)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
def test_exif_rotation_is_applied_everywhere(tmp_path: Path, format: str, orientation: int) -> None:
    frame = turned(tmp_path / "stored", format, orientation)
    info = probe(frame)
    assert (info.width, info.height) == (WIDTH, HEIGHT)
    assert (info.orientation != 1) == (orientation != 1)
    content, mime = original_frame(frame)
    assert mime == f"image/{format.lower()}"
    assert (content == frame.path.read_bytes()) == (orientation == 1)
    assert decoded(content).getexif().get(Base.Orientation, 1) == 1
    for shown in (decoded(content), decoded(compressed_frame(frame, 95)), decoded(preview(frame))):
        assert_shows_four_colours(shown, 24)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_exif_does_not_know_is_none(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    frame = saved(tmp_path / "stored", picture("RGB"), "JPEG", exif=exif)
    assert probe(frame) == ImageInfo(WIDTH, HEIGHT, "JPEG", 1)
    assert original_frame(frame)[0] == frame.path.read_bytes()


def test_exif_that_follows_the_pixels_of_a_png_counts(tmp_path: Path) -> None:
    frame = turned(tmp_path / "stored", "PNG", 6)
    chunks = png_chunks(frame.path.read_bytes())
    exif = next(chunk for chunk in chunks if chunk[4:8] == b"eXIf")
    late = [chunk for chunk in chunks if chunk != exif]
    frame = stored(frame.path, b"\x89PNG\r\n\x1a\n" + b"".join([*late[:-1], exif, late[-1]]))
    assert probe(frame) == ImageInfo(WIDTH, HEIGHT, "PNG", 6)
    assert_shows_four_colours(decoded(original_frame(frame)[0]), 0)
    assert_shows_four_colours(decoded(compressed_frame(frame, 95)), 16)


def png_chunks(content: bytes) -> list[bytes]:
    chunks, position = [], 8
    while position < len(content):
        (length,) = struct.unpack_from(">I", content, position)
        chunks.append(content[position : position + length + 12])
        position += length + 12
    return chunks


def test_sixteen_bit_pictures_can_be_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    frame = saved(tmp_path / "stored", picture("I;16"), "PNG", exif=exif)
    upright = decoded(original_frame(frame)[0])
    assert (upright.mode, upright.size) == ("I;16", (HEIGHT, WIDTH))
    assert np.array_equal(np.asarray(upright), np.rot90(np.asarray(picture("I;16")), -1))


def test_the_first_frame_of_an_animation_is_the_picture(tmp_path: Path) -> None:
    black = Image.new("RGB", (WIDTH, HEIGHT))
    for format in ("GIF", "WEBP", "PNG", "TIFF"):
        frame = saved(tmp_path / format, picture("RGB"), format, save_all=True, append_images=[black, black])
        assert probe(frame) == ImageInfo(WIDTH, HEIGHT, format, 1)
        assert_shows_four_colours(decoded(compressed_frame(frame, 95)), 24)


def test_a_photo_of_several_jpegs_in_one_file_is_the_first(tmp_path: Path) -> None:
    black = Image.new("RGB", (WIDTH, HEIGHT))
    frame = saved(tmp_path / "stored", picture("RGB"), "MPO", save_all=True, append_images=[black], quality=95)
    assert probe(frame) == ImageInfo(WIDTH, HEIGHT, "MPO", 1)
    assert original_frame(frame) == (frame.path.read_bytes(), "image/jpeg")
    assert_shows_four_colours(decoded(compressed_frame(frame, 95)), 16)


def test_the_photos_of_the_example_are_measured_together() -> None:
    frames = [Frame(path, path.name) for path in sorted([*PHOTOS.glob("*.png"), *PHOTOS.glob("*.jpg")])]
    assert [(info.width, info.height, info.format) for info in probe_all(frames)] == [
        (512, 512, "PNG"),
        (451, 300, "PNG"),
        (600, 400, "PNG"),
        (384, 303, "PNG"),
        (1000, 872, "JPEG"),
        (1411, 1411, "JPEG"),
        (640, 427, "JPEG"),
    ]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_one_bad_picture_among_many_is_named(tmp_path: Path, format: str) -> None:
    frames = []
    for number in range(20):
        path = tmp_path / f"blob{number}"
        picture("RGB").save(path, format)
        frames.append(Frame(path, f"photo{number}"))
    frames[13].path.write_bytes(frames[13].path.read_bytes()[:-30])
    with pytest.raises(MediaError, match=r"^photo13 is "):
        probe_all(frames)


NO_PICTURES = {
    "text": b"Dear Sir or Madam,\n",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>',
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n",
    "pdf": b"%PDF-1.7\n",
    "zip": b"PK\x03\x04" + bytes(100),
    "zeros": bytes(10_000),
    "html": b"<!DOCTYPE html><title>404</title>",
}


@pytest.mark.parametrize("content", NO_PICTURES.values(), ids=NO_PICTURES)
def test_what_is_not_a_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    frame = stored(tmp_path / "stored", content)
    with pytest.raises(MediaError) as caught:
        probe(frame)
    assert caught.value.message == "folder/holiday.png is not an image of a kind that this server reads"


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"^folder/holiday.png is empty$"):
        probe(stored(tmp_path / "stored", b""))


def test_pixels_that_cannot_be_shown_are_refused(tmp_path: Path) -> None:
    lab = Image.frombytes("LAB", (8, 8), bytes(192))
    with pytest.raises(MediaError, match=r"^folder/holiday.png has pixels of a kind .*LAB"):
        probe(saved(tmp_path / "stored", lab, "TIFF"))


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def gif_header(width: int, height: int) -> bytes:
    screen = b"GIF89a" + struct.pack("<HH", 1, 1) + b"\x80\x00\x00" + bytes(6)
    return screen + b"," + struct.pack("<HHHH", 0, 0, width, height) + b"\x00\x02\x02\x4c\x01\x00;"


def bmp_header(width: int, height: int) -> bytes:
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, *[0] * 6)


BOMBS = {
    "png": png_header(50_000, 50_000),
    "gif": gif_header(60_000, 60_000),
    "bmp": bmp_header(50_000, 50_000),
    "ppm": b"P6 50000 50000 255\n",
}


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS)
def test_a_picture_larger_than_the_limit_is_refused_before_it_is_decoded(tmp_path: Path, content: bytes) -> None:
    frame = stored(tmp_path / "stored", content)
    with pytest.raises(MediaError, match=r"^folder/holiday.png has [\d,]+ pixels; at most 250,000,000 are accepted"):
        probe(frame)


def test_the_limits_are_inclusive(tmp_path: Path) -> None:
    frame = saved(tmp_path / "stored", picture("RGB"), "JPEG")
    assert probe(frame, Limits(pixels=WIDTH * HEIGHT, side=WIDTH)).width == WIDTH
    with pytest.raises(MediaError, match="has 3,072 pixels; at most 3,071 are accepted"):
        probe(frame, Limits(pixels=WIDTH * HEIGHT - 1))
    with pytest.raises(MediaError, match="is 64 x 48 pixels; at most 63 a side are accepted"):
        probe(frame, Limits(side=WIDTH - 1))


def test_a_picture_too_long_for_jpeg_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="is 65501 x 1 pixels"):
        probe(saved(tmp_path / "stored", Image.new("L", (65_501, 1)), "PNG"))
    assert probe(saved(tmp_path / "stored", Image.new("L", (65_500, 1)), "PNG")).width == 65_500
    compressed_frame(Frame(tmp_path / "stored", "long"), 70)


@pytest.mark.parametrize("size", [(0, 10), (10, 0), (0, 0)])
def test_a_picture_without_pixels_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    for content in (png_header(*size), bmp_header(*size)):
        with pytest.raises(MediaError, match=r"^folder/holiday.png "):
            probe(stored(tmp_path / "stored", content))


def test_a_file_that_is_gone_is_not_the_pictures_fault(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        probe(Frame(tmp_path / "gone", "holiday.png"))
