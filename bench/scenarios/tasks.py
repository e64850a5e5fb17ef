"""Tasks for the other scenarios, made through the unmodified SDK."""

from __future__ import annotations

import io
import random
from pathlib import Path

from cvat_sdk import Client, make_client, models
from cvat_sdk.core.proxies.tasks import Task
from PIL import Image

from bench.server import PASSWORD, Server


def client_of(server: Server) -> Client:
    return make_client(server.url, credentials=("admin", PASSWORD))


def tiny_pictures(folder: Path, count: int) -> list[Path]:
    """16x16: where the pictures themselves are not what is measured."""
    return _pictures(folder, count, (16, 16), 1)


def photos(folder: Path, count: int, seed: int = 7) -> list[Path]:
    """640x480 with noise, about 100 kB each, all different."""
    return _pictures(folder, count, (640, 480), 4, seed)


def _pictures(folder: Path, count: int, size: tuple[int, int], grain: int, seed: int = 7) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    width, height = size[0] // grain, size[1] // grain
    paths = []
    for number in range(count):
        picture = Image.frombytes("RGB", (width, height), rng.randbytes(width * height * 3)).resize(size)
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=85)
        path = folder / f"photo_{number:05}.jpg"
        path.write_bytes(buffer.getvalue())
        paths.append(path)
    return paths


def create(client: Client, files: list[Path], segment_size: int) -> Task:
    spec = models.TaskWriteRequest(
        name=f"{len(files)} pictures",
        labels=[models.PatchedLabelRequest(name="car"), models.PatchedLabelRequest(name="person")],
        segment_size=segment_size,
    )
    return client.tasks.create_from_data(spec=spec, resources=files, data_params={"image_quality": 70})
