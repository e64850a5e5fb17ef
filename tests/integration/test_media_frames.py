"""One picture as a client gets it: in full, compressed, small."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.ExifTags import Base

from domain.errors import MediaError
from infra.media.frames import compressed_frame, encode_jpeg, original_frame, placeholder_frame, preview
from infra.media.images import Frame

PHOTOS = Path(__file__).parents[2] / "examples" / "photos"


def decoded(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        return image


def photo(name: str) -> Frame:
    return Frame(PHOTOS / name, name)


def saved(path: Path, image: Image.Image, format: str = "PNG", **options: object) -> Frame:
    image.save(path, format, **options)
    return Frame(path, "picture")


def test_an_original_is_the_very_file() -> None:
    assert original_frame(photo("rocket.jpg")) == ((PHOTOS / "rocket.jpg").read_bytes(), "image/jpeg")
    assert original_frame(photo("coins.png")) == ((PHOTOS / "coins.png").read_bytes(), "image/png")


def test_compression_follows_the_quality() -> None:
    sizes = [len(compressed_frame(photo("astronaut.png"), quality)) for quality in (1, 30, 70, 100)]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 5 * sizes[0]


@pytest.mark.parametrize(("name", "mode"), [("coins.png", "L"), ("astronaut.png", "RGB"), ("retina.jpg", "RGB")])
def test_a_compressed_frame_looks_like_the_photo(name: str, mode: str) -> None:
    frame = decoded(compressed_frame(photo(name), 90))
    with Image.open(PHOTOS / name) as original:
        difference = np.abs(np.asarray(original).astype(int) - np.asarray(frame).astype(int))
        assert (frame.format, frame.mode, frame.size) == ("JPEG", mode, original.size)
        assert difference.mean() < 4


def test_the_range_in_use_of_deep_grey_is_spread(tmp_path: Path) -> None:
    """As CVAT does: 4,000 to 4,063 of 65,535 would otherwise be one shade of black."""
    deep = np.repeat(np.arange(4000, 4064, dtype=np.uint16)[None], 64, axis=0)
    levels = np.asarray(decoded(compressed_frame(saved(tmp_path / "deep", Image.fromarray(deep)), 100)))
    assert levels[:, :2].mean() < 5
    assert levels[:, -2:].mean() > 250
    assert (np.diff(levels.mean(axis=0)) > -1).all()


def test_one_very_bright_pixel_does_not_make_the_rest_black(tmp_path: Path) -> None:
    deep = np.repeat(np.arange(0, 6400, 100, dtype=np.uint16)[None], 64, axis=0)
    deep[0, 0] = 65535
    levels = np.asarray(decoded(compressed_frame(saved(tmp_path / "deep", Image.fromarray(deep)), 100)))
    assert levels[10:, -2:].mean() - levels[10:, :2].mean() > 200


@pytest.mark.parametrize("value", [0, 1, 65535])
def test_a_deep_grey_picture_of_one_value_is_no_division_by_zero(tmp_path: Path, value: int) -> None:
    flat = Image.fromarray(np.full((8, 8), value, np.uint16))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decoded(compressed_frame(saved(tmp_path / "flat", flat), 70)).size == (8, 8)


def test_numbers_that_are_none_are_black(tmp_path: Path) -> None:
    values = np.full((8, 8), 5, np.float32)
    values[0, 0], values[0, 1], values[0, 2] = np.nan, np.inf, -np.inf
    frame = saved(tmp_path / "float", Image.fromarray(values), "TIFF")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decoded(compressed_frame(frame, 100)).getextrema() == (0, 255)


def test_transparency_is_dropped(tmp_path: Path) -> None:
    clear_red = Image.new("RGBA", (8, 8), (200, 0, 0, 0))
    assert decoded(compressed_frame(saved(tmp_path / "clear", clear_red), 95)).getpixel((4, 4)) == pytest.approx(
        (200, 0, 0), abs=3
    )


def test_a_palette_with_transparency_raises_no_warning(tmp_path: Path) -> None:
    palette = Image.linear_gradient("L").convert("RGB").quantize(4)
    frame = saved(tmp_path / "palette", palette, transparency=bytes([0, 128, 255, 255]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decoded(compressed_frame(frame, 95)).mode == "RGB"


def test_a_turned_original_keeps_its_colour_profile(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[Base.Orientation] = 3
    frame = saved(tmp_path / "p", Image.new("RGB", (8, 8)), "JPEG", exif=exif, icc_profile=profile)
    content, mime = original_frame(frame)
    assert mime == "image/jpeg"
    assert decoded(content).info["icc_profile"] == profile


@pytest.mark.parametrize(
    ("name", "size"), [("retina.jpg", (256, 256)), ("chelsea.png", (256, 170)), ("rocket.jpg", (256, 171))]
)
def test_a_preview_fits_and_keeps_its_shape(name: str, size: tuple[int, int]) -> None:
    small = decoded(preview(photo(name)))
    assert (small.format, small.size) == ("JPEG", size)
    with Image.open(PHOTOS / name) as original:
        expected = np.asarray(original.convert("RGB").resize(size)).astype(int)
    assert np.abs(np.asarray(small).astype(int) - expected).mean() < 8


def test_a_preview_of_a_small_picture_is_not_enlarged(tmp_path: Path) -> None:
    assert decoded(preview(saved(tmp_path / "small", Image.new("P", (30, 20))))).size == (30, 20)


def test_the_placeholder_is_a_picture() -> None:
    assert decoded(placeholder_frame()).size == (1, 1)


def test_pictures_from_elsewhere_can_be_encoded() -> None:
    assert decoded(encode_jpeg(Image.new("RGBA", (4, 3)), 70)).size == (4, 3)


def test_a_file_that_was_damaged_since_is_named(tmp_path: Path) -> None:
    frame = saved(tmp_path / "stored", Image.new("RGB", (300, 300), (1, 2, 3)))
    frame.path.write_bytes(frame.path.read_bytes()[:-200])
    for ask in (preview, lambda frame: compressed_frame(frame, 70)):
        with pytest.raises(MediaError, match=r"^picture is damaged or incomplete"):
            ask(frame)
