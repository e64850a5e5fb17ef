"""Looking through a video in a process of its own: a file that brings the decoder down, or never comes to an end, harms
nobody else. (What passes is decoded again when somebody wants frames: by then it is known to be harmless.)
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import orjson

from domain.errors import MediaError
from infra.media.images import Frame, Limits
from infra.media.video.index import Index
from infra.media.video.opening import Video, VideoLimits
from infra.media.video.probe import VideoInfo, probe

_ROOT = Path(__file__).parents[3]
_REFUSED = 3  # exit code; then the reason is all that was written
_GRACE = 10.0  # seconds: the process keeps to the limit itself, unless it hangs in one frame


def probe_apart(video: Video, limits: VideoLimits) -> VideoInfo:
    """As `probe`. Raises MediaError."""
    question = {
        "path": str(video.path),
        "name": video.name,
        "pixels": limits.picture.pixels,
        "seconds": limits.seconds,
    }
    try:
        ended = subprocess.run(
            [sys.executable, "-P", "-m", "infra.media.video.apart"],
            input=orjson.dumps(question),
            capture_output=True,
            timeout=limits.seconds + _GRACE,
            env=_environment(),
        )
    except subprocess.TimeoutExpired:
        raise MediaError(f"{video.name} takes longer than {limits.seconds:g} seconds to decode") from None
    if ended.returncode == _REFUSED:
        raise MediaError(ended.stdout.decode())
    if ended.returncode < 0:  # killed by a signal
        raise MediaError(f"{video.name} can't be read as a video: it brings the decoder down")
    if ended.returncode > 0:
        raise RuntimeError(ended.stderr.decode(errors="replace"))
    size, _, index = ended.stdout.partition(b"\n")
    width, height = orjson.loads(size)
    return VideoInfo(width, height, Index.load(index))


def _environment() -> dict[str, str]:
    """Without our settings, among which are passwords: a file that gets the better of the decoder finds none."""
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANNALS_")}
    return {**kept, "PYTHONPATH": path}


def main() -> int:
    """The process: a question on standard input, the answer on standard output."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    question = orjson.loads(sys.stdin.buffer.read())
    limits = VideoLimits(Limits(pixels=question["pixels"]), question["seconds"])
    try:
        info = probe(Frame(Path(question["path"]), question["name"]), limits)
    except MediaError as error:
        sys.stdout.buffer.write(error.message.encode())
        return _REFUSED
    sys.stdout.buffer.write(orjson.dumps([info.width, info.height]) + b"\n" + info.index.dump())
    return 0


def _end_with(parent: int) -> None:
    """Nobody waits for the answer when whoever asked has died."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
