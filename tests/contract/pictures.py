"""Pictures for tests."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

PHOTOS = sorted(path for path in (Path(__file__).parents[2] / "examples/photos").iterdir() if path.suffix != ".md")


def noise(width: int = 32, height: int = 24, seed: int = 0, kind: str = "JPEG") -> bytes:
    """A picture that no other seed gives."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind)
    return out.getvalue()


def write(folder: Path, names: list[str], **options: object) -> list[Path]:
    """A folder of different pictures with these names."""
    folder.mkdir(exist_ok=True)
    paths = [folder / name for name in names]
    for seed, path in enumerate(paths):
        path.write_bytes(noise(seed=seed, **options))  # type: ignore[arg-type]
    return paths


def decode(content: bytes) -> np.ndarray:
    """The pixels."""
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
