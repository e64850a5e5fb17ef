"""Masks as COCO packs them, unpacked without trust: the library's own decoder is told what to allocate by the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from domain.errors import MediaError
from infra.formats.masks import MAX_PIXELS, Pixels

OFFSET, LOW_BITS, MORE, SIGN = 48, 0x1F, 0x20, 0x10
MAX_LETTERS = 7
"""Of one run: 35 bits."""


def pixels(rle: Mapping[str, Any]) -> Pixels:
    """`rle`: `size` (height, width) and `counts`, the runs by column, as COCO writes them in letters. Raises
    MediaError.
    """
    height, width = (int(side) for side in rle["size"])
    if height < 1 or width < 1 or height * width > MAX_PIXELS:
        raise MediaError(f"A mask of {width} x {height} pixels is not accepted")
    counts = rle["counts"]
    runs = np.array(_runs(counts.encode() if isinstance(counts, str) else bytes(counts)), dtype=np.int64)
    if (runs < 0).any() or (runs > MAX_PIXELS).any() or runs.sum() != height * width:
        raise MediaError(f"The runs of a mask of {width} x {height} pixels do not fill it")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(width, height).T


def _runs(letters: bytes) -> list[int]:
    """Each run from the third on is told as the difference to the one before the last; six bits a letter, five of them
    the number's, the lowest first.
    """
    runs: list[int] = []
    number = bits = 0
    for letter in letters:
        value = letter - OFFSET
        number |= (value & LOW_BITS) << bits
        bits += 5
        if value & MORE:
            if bits >= 5 * MAX_LETTERS:
                raise MediaError("A mask has a run that is too long")
            continue
        if value & SIGN:
            number -= 1 << bits
        runs.append(number + runs[-2] if len(runs) > 2 else number)
        number = bits = 0
    return runs
