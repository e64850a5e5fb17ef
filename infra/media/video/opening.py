"""Opening uploaded videos: which containers are accepted, within which limits, and what is said of broken ones."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from domain.errors import AnnalsError, MediaError
from infra.media.images import DEFAULT_LIMITS, Frame, Limits
from infra.media.refusal import Refused

# FFmpeg looks at the content, not at the name. Playlists, for one, would have it open other files and addresses.
CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi"
_OPTIONS = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}
_ANY = 2**31 - 1  # pixels: what FFmpeg can count
_OURS = (errno.ENOENT, errno.EACCES, errno.EMFILE, errno.ENFILE)  # FFmpeg reports damage with other numbers, too
Video = Frame
"""A stored video: the file with its bytes, and the name that its owner gave it."""


@dataclass(frozen=True, slots=True)
class VideoLimits:
    """What is accepted: the size of a picture, and how long it may take to look through all of them."""

    picture: Limits = DEFAULT_LIMITS
    seconds: float = 1_800
    frames: int = 2_000_000  # 18 hours


@contextmanager
def open_video(video: Video, max_pixels: int = _ANY) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its first real video stream, to be decoded by several threads. Raises MediaError, which names
    the file, also for what goes wrong later.
    """
    with refusing(video.name), av.open(str(video.path), options=_OPTIONS, metadata_errors="replace") as container:
        stream = _picture_stream(container)
        stream.codec_context.options = {"max_pixels": str(max_pixels)}
        stream.thread_type = "AUTO"
        yield container, stream


def quarter_turns(frame: VideoFrame) -> int:
    """How often a frame must be turned by 90 degrees, against the clock, to be upright: 0 to 3."""
    return round(frame.rotation / 90) % 4


@contextmanager
def refusing(name: str) -> Iterator[None]:
    """Turns whatever goes wrong with the content of the file `name` into a MediaError. Errors of the operating system
    pass through.
    """
    try:
        yield
    except AnnalsError:
        raise
    except Refused as error:
        raise MediaError(f"{name} {error}") from error
    except av.error.InvalidDataError as error:
        raise MediaError(f"{name} is damaged or incomplete, or not a video of a kind that this server reads") from error
    except Exception as error:
        if isinstance(error, OSError) and (error.errno in _OURS or not isinstance(error, av.error.FFmpegError)):
            raise
        raise MediaError(f"{name} is damaged or incomplete and can't be read as a video") from error


def _picture_stream(container: InputContainer) -> VideoStream:
    """Not a cover picture, which is stored as a stream as well."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    raise Refused("has no video stream")
