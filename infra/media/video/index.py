"""Where each frame of a video is: found once by decoding all of it, kept beside it as a blob."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Index:
    """`times`: each frame's time stamp in the stream's time base, in the order in which a decoder gives the frames.
    `keys`: the numbers of frames from which decoding can begin, ascending.
    """

    times: Numbers
    keys: Numbers

    @classmethod
    def of(cls, times: Sequence[int], key_frames: Sequence[int]) -> Index:
        """`key_frames`: the numbers of frames that can be decoded without others. Decoding begins only from those whose
        time stamps tell them from all frames before and after. Some files store the wrong ones, or the same twice.
        """
        found, keys = np.array(times, np.int64), np.array(key_frames, np.int64)
        return cls(found, keys[_parting(found)[keys]])

    def __len__(self) -> int:
        return len(self.times)

    def key_before(self, number: int) -> int:
        """The place in `keys` of the last one that is not after the frame; -1: there is none."""
        return int(np.searchsorted(self.keys, number, side="right")) - 1

    def dump(self) -> bytes:
        """The same index gives the same bytes. Regular time stamps take next to no space."""
        out = io.BytesIO()
        np.savez_compressed(out, start=self.times[:1], steps=np.diff(self.times), keys=self.keys)
        return out.getvalue()

    @classmethod
    def load(cls, content: bytes) -> Index:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            parts: dict[str, Any] = dict(arrays)
        return cls(np.cumsum(np.concatenate([parts["start"], parts["steps"]])), parts["keys"])


def _parting(times: Numbers) -> NDArray[np.bool_]:
    """For each time whether all before it are less, and all after it greater."""
    highest = np.concatenate([[np.iinfo(np.int64).min], np.maximum.accumulate(times)[:-1]])
    lowest = np.concatenate([np.minimum.accumulate(times[::-1])[::-1][1:], [np.iinfo(np.int64).max]])
    return (highest < times) & (times < lowest)
