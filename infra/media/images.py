"""Opening uploaded pictures: what is accepted, how large it is, which way up it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps
from PIL.ExifTags import Base

from infra.media import jpeg, png
from infra.media.pool import in_order
from infra.media.refusal import Refused, refusing

# Formats that have a signature and a decoder of their own. EPS, for one, would start a program on the upload.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")
MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "I", "F", "I;16", "I;16B"})

# Our own limit, which may be set higher, takes the place of Pillow's: `probe` checks it when it has read
# the header and before a pixel is decoded. Only pictures that passed there are stored as frames and opened later.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True)
class Frame:
    """A stored picture: the file with its bytes, and the name that its owner gave it."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What is known of a picture. Width and height are in pixels, as displayed: after EXIF rotation."""

    width: int
    height: int
    format: str  # Pillow's name: JPEG, MPO, PNG, …
    orientation: int  # EXIF's 1 to 8; 1: stored as displayed


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest picture that is accepted. JPEG, in which frames are sent, can't hold a longer side."""

    pixels: int = 250_000_000  # 750 MB of RGB
    side: int = 65_500

    def check(self, width: int, height: int) -> None:
        """Raises Refused."""
        if width < 1 or height < 1:
            raise Refused("has no pixels")
        if width * height > self.pixels:
            raise Refused(f"has {width * height:,} pixels; at most {self.pixels:,} are accepted")
        if max(width, height) > self.side:
            raise Refused(f"is {width} x {height} pixels; at most {self.side} a side are accepted")


DEFAULT_LIMITS = Limits()


def probe(frame: Frame, limits: Limits = DEFAULT_LIMITS) -> ImageInfo:
    """Check that every pixel of the picture (of an animation: of its first frame) can be had.

    Decodes as little as proves that; what passes here can be made into frames and chunks later.
    Raises MediaError, which names the file, for anything that isn't a whole image within the limits.
    """
    info, proven = _examine(frame, limits)
    if not proven:
        _decode(frame)
    return info


def probe_all(frames: Sequence[Frame], limits: Limits = DEFAULT_LIMITS) -> list[ImageInfo]:
    """`probe` each. Raises the first MediaError that it meets.

    Only what must be decoded whole goes to other threads: usual JPEG and PNG files take
    0.25 ms each, and half as long again when they are passed between threads.
    """
    examined = [_examine(frame, limits) for frame in frames]
    unproven = [frame for frame, (_, proven) in zip(frames, examined, strict=True) if not proven]
    for _ in in_order(_decode, unproven):
        pass
    return [info for info, _ in examined]


@contextmanager
def open_image(frame: Frame) -> Iterator[Image.Image]:
    """A picture that `probe` accepted, its header read. Raises MediaError, also for what goes wrong in the body."""
    with refusing(frame.name), frame.path.open("rb") as file, Image.open(file, formats=FORMATS) as image:
        yield image


def orientation(image: Image.Image) -> int:
    """EXIF's number, 1 to 8, of a picture whose pixels needn't have been decoded yet."""
    # For PNG, Pillow's own method decodes all pixels first, in case that metadata follows them.
    quick = image.format == "PNG" and not png.has_late_metadata(image.fp)  # type: ignore[attr-defined]
    exif = Image.Image.getexif(image) if quick else image.getexif()
    number = exif.get(Base.Orientation, 1)
    return number if number in range(1, 9) else 1


def turn_upright(image: Image.Image) -> None:
    """Decode the picture and apply its EXIF rotation to its pixels."""
    image.load()
    ImageOps.exif_transpose(image, in_place=True)


def _examine(frame: Frame, limits: Limits) -> tuple[ImageInfo, bool]:
    """What the picture's header says, and whether its pixels are known to be whole."""
    with refusing(frame.name), frame.path.open("rb") as file:
        start = file.read(len(jpeg.SIGNATURE))
        if not start:
            raise Refused("is empty")
        source = jpeg.abridged(file) if start == jpeg.SIGNATURE else file
        with Image.open(source, formats=FORMATS) as image:
            limits.check(*image.size)
            info = _describe(image)
            if image.format == "PNG":
                png.check(file)
            elif image.format == "JPEG2000":
                jpeg.check_2000(file)
            elif source is not file:
                image.draft(None, (1, 1))  # at 1/8 of the size
                image.load()
            return info, image.format == "PNG" or source is not file


def _describe(image: Image.Image) -> ImageInfo:
    if image.mode not in MODES:
        raise Refused(f"has pixels of a kind that can't be shown ({image.mode})")
    turned = orientation(image)
    width, height = image.size
    if turned >= 5 and image.format != "TIFF":  # of which Pillow gives the size as displayed
        width, height = height, width
    return ImageInfo(width, height, image.format or "", turned)


def _decode(frame: Frame) -> None:
    with open_image(frame) as image:
        image.load()
