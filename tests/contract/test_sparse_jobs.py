"""The data of ground truth jobs, which have but some of a task's frames."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from cvat_sdk import Client, models
from PIL import Image

from .clips import number_of, write_clip
from .pictures import write


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Of different widths, 40 and more."""
    return [write(tmp_path, [f"{number:02d}.jpg"], width=40 + number)[0] for number in range(21)]


def ground_truth(client: Client, resources: list[Path], frames: list[int], **data_params: Any) -> Any:
    """The ground truth job of a new task with these frames."""
    spec = models.TaskWriteRequest(name="checked", labels=[{"name": "thing"}], segment_size=4)
    task = client.tasks.create_from_data(
        spec=spec, resources=resources, data_params={"image_quality": 70, "chunk_size": 3} | data_params
    )
    wanted = models.JobWriteRequest(
        type="ground_truth", task_id=task.id, frame_selection_method="manual", frames=frames
    )
    job, _ = client.api_client.jobs_api.create(wanted)
    return client.jobs.retrieve(job.id)


def widths(content: bytes) -> list[int]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [Image.open(io.BytesIO(archive.read(name))).size[0] for name in archive.namelist()]


def numbers(content: bytes) -> list[int | None]:
    """Of a video's frames; None: of a picture of one pixel."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        pictures = [Image.open(io.BytesIO(archive.read(name))) for name in archive.namelist()]
    return [None if picture.size == (1, 1) else number_of(picture) for picture in pictures]


def test_meta(client: Client, files: list[Path]) -> None:
    job = ground_truth(client, files, [1, 5, 8, 9], start_frame=1, frame_step=2)
    meta = job.get_meta()
    assert (meta.size, meta.start_frame, meta.stop_frame) == (4, 1, 19)
    assert meta.included_frames == [3, 11, 17, 19]
    shown = ["03.jpg", "11.jpg", "17.jpg", "19.jpg"]
    assert [frame.name for frame in meta.frames] == [
        shown[[1, 5, 8, 9].index(number)] if number in (1, 5, 8, 9) else "placeholder.jpg" for number in range(10)
    ]
    assert [frame.width for frame in meta.frames] == [40 + 1 + 2 * number for number in range(10)]


@pytest.mark.parametrize("quality", ["compressed", "original"])
def test_chunks_hold_what_the_job_has(client: Client, http: httpx.Client, files: list[Path], quality: str) -> None:
    job = ground_truth(client, files, [1, 5, 8, 20])
    url = f"/api/jobs/{job.id}/data?type=chunk&quality={quality}"
    by_index = [widths(http.get(f"{url}&index={index}").content) for index in range(2)]
    assert by_index == [[41, 45, 48], [60]]
    by_number = [widths(http.get(f"{url}&number={number}").content) for number in (0, 1, 2, 3, 6)]
    assert by_number == [[1, 41, 1], [1, 1, 45], [1, 1, 48], [1, 1, 1], [1, 1, 60]]
    assert [http.get(f"{url}&{query}").status_code for query in ("index=2", "number=7")] == [400] * 2


def test_frames_and_preview(client: Client, http: httpx.Client, files: list[Path]) -> None:
    job = ground_truth(client, files, [7, 3])
    assert Image.open(job.get_frame(7, quality="original")).size[0] == 47
    refused = http.get(f"/api/jobs/{job.id}/data?type=frame&number=4")
    assert refused.status_code == 400
    assert "Incorrect requested frame number" in refused.text
    assert Image.open(job.get_preview()).size[0] == 43


def test_deleted_frames(client: Client, files: list[Path]) -> None:
    job = ground_truth(client, files, [3, 7])
    client.tasks.retrieve(job.task_id).remove_frames_by_ids([2, 3])
    assert job.get_meta().deleted_frames == [3]
    job.remove_frames_by_ids([7])
    assert client.tasks.retrieve(job.task_id).get_meta().deleted_frames == [2, 7]


def test_of_a_video(client: Client, http: httpx.Client, tmp_path: Path) -> None:
    job = ground_truth(client, [write_clip(tmp_path / "clip.mp4", 30, g="6")], [2, 17, 28])
    assert job.data_compressed_chunk_type == "imageset"
    for quality in ("compressed", "original"):
        url = f"/api/jobs/{job.id}/data?type=chunk&quality={quality}"
        chunk = http.get(f"{url}&index=0")
        assert (chunk.headers["content-type"], numbers(chunk.content)) == ("application/zip", [2, 17, 28])
        assert numbers(http.get(f"{url}&number=5").content) == [None, None, 17]
    assert number_of(job.get_frame(17, quality="compressed").read()) == 17
    meta = job.get_meta()
    assert (meta.size, len(meta.frames), meta.included_frames) == (3, 1, [2, 17, 28])
