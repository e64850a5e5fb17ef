"""One picture as a client gets it: original, compressed, or a small preview."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from infra.media.images import Frame, open_image, orientation, turn_upright

PREVIEW_SIZE = (256, 256)
_PREVIEW_QUALITY = 75
# How a turned original is written again with as little loss as its format allows.
_BEST: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "WEBP": {"lossless": True},
    "AVIF": {"quality": 100, "subsampling": "4:4:4"},
}


def original_frame(frame: Frame) -> tuple[bytes, str]:
    """The bytes as uploaded, or if EXIF says that they must be turned, turned and written again; and the MIME type."""
    content, mime = turned_original(frame)
    return (frame.path.read_bytes() if content is None else content), mime


def turned_original(frame: Frame) -> tuple[bytes | None, str]:
    """As `original_frame`, but None in place of bytes that are those of the stored file."""
    with open_image(frame) as image:
        kind = "JPEG" if image.format == "MPO" else image.format or ""
        mime = Image.MIME.get(kind, "application/octet-stream")
        if orientation(image) == 1:
            return None, mime
        turn_upright(image)
        out = io.BytesIO()
        image.save(out, kind, icc_profile=image.info.get("icc_profile"), **_BEST.get(kind, {}))
        return out.getvalue(), mime


def compressed_frame(frame: Frame, quality: int) -> bytes:
    """A JPEG, RGB or grey, upright. `quality` is 1 to 100."""
    with open_image(frame) as image:
        turn_upright(image)
        return encode_jpeg(image, quality)


def preview(frame: Frame) -> bytes:
    """A small upright JPEG that fits into 256 x 256 pixels."""
    with open_image(frame) as image:
        image.draft(None, (2 * PREVIEW_SIZE[0], 2 * PREVIEW_SIZE[1]))  # JPEG is decoded no larger than needed
        turn_upright(image)
        return thumbnail(displayable(image))


def thumbnail(image: Image.Image) -> bytes:
    """As `preview`, of a picture that is upright; it is made small itself."""
    image.thumbnail(PREVIEW_SIZE)
    return encode_jpeg(image, _PREVIEW_QUALITY)


@cache
def placeholder_frame() -> bytes:
    """A JPEG of one black pixel, that holds the place of a frame that a job leaves out."""
    return encode_jpeg(Image.new("L", (1, 1)), _PREVIEW_QUALITY)


def encode_png(image: Image.Image) -> bytes:
    """Packed fast rather than small."""
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def encode_jpeg(image: Image.Image, quality: int) -> bytes:
    """Not optimised: that takes half as long again for 3 to 10% fewer bytes."""
    out = io.BytesIO()
    displayable(image).save(out, "JPEG", quality=quality)
    return out.getvalue()


def displayable(image: Image.Image) -> Image.Image:
    """The picture with 8 bits a channel, grey or RGB; transparency is dropped, as CVAT does."""
    if image.mode in ("RGB", "L"):
        return image
    if image.mode.startswith(("I", "F")):
        return _spread(image)
    image.info.pop("transparency", None)  # or Pillow warns that it is lost
    return image.convert("L" if image.mode in ("1", "LA") else "RGB")


def _spread(image: Image.Image) -> Image.Image:
    """Deep grey to 8 bits: the range in use over all 256 values, then equalised, as CVAT does.

    X-rays and depth maps use a small part of their range; without this they would be all black.
    """
    values = np.nan_to_num(np.asarray(image, dtype=np.float32), posinf=0, neginf=0)
    values -= values.min()
    values *= 255 / (values.max() or 1)
    return ImageOps.equalize(Image.fromarray(values.astype(np.uint8)))
