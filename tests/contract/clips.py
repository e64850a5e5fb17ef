"""Videos for tests, whose every frame tells its number."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import av
import numpy as np
from PIL import Image

WIDTH, HEIGHT = 160, 96
BITS = 8
QUARTER_TURN = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
"""The matrix of an MP4 track that is to be turned by 90 degrees, clockwise."""


def write_clip(path: Path, frames: int = 30, codec: str = "libx264", pixels: str = "yuv420p", **options: str) -> Path:
    """Writes a video, in the container that the name says. `options`: of the encoder."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.options = WIDTH, HEIGHT, pixels, options
        for number in range(frames):
            picture = av.VideoFrame.from_ndarray(numbered(number), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def turn(path: Path) -> Path:
    """Marks an MP4 video as one that was filmed with the device held upright."""
    content = bytearray(path.read_bytes())
    header = content.index(b"tkhd")
    content[header + 44 : header + 80] = QUARTER_TURN
    path.write_bytes(content)
    return path


def numbered(number: int) -> np.ndarray:
    """A picture that shows the bits of a number, as white and black bars from the left, under a white edge."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[: HEIGHT // 4] = 255
    for bit in range(BITS):
        if number >> bit & 1:
            pixels[HEIGHT // 2 :, bit * WIDTH // BITS : (bit + 1) * WIDTH // BITS] = 255
    return pixels


def number_of(picture: Image.Image | bytes) -> int:
    """The number that a picture shows, whatever its size, the right way up."""
    image = Image.open(io.BytesIO(picture)) if isinstance(picture, bytes) else picture
    pixels = np.asarray(image.convert("L"))
    height, width = pixels.shape
    assert pixels[height // 8, width // 2] > 128, "it is not upright"
    row = pixels[height * 3 // 4]
    return sum(int(row[width * (2 * bit + 1) // (2 * BITS)] > 128) << bit for bit in range(BITS))


def numbers_of_video(content: bytes) -> list[int]:
    """Of each frame of a video."""
    with av.open(io.BytesIO(content)) as container:
        return [number_of(frame.to_image()) for frame in container.decode(video=0)]
