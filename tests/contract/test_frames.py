"""Frames come back as they went in: chunks, single frames and previews, of tasks and of jobs."""

from __future__ import annotations

import io
import threading
import time
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from cvat_sdk import Client, models
from cvat_sdk.core.proxies.tasks import Task
from PIL import Image

from api.media.preparing import Preparing
from infra.media import chunks

from .conftest import Server
from .pictures import PHOTOS, decode, noise, write

FRAMES = sorted(PHOTOS)


@pytest.fixture
def task(client: Client) -> Task:
    """The photos, three to a job and two to a chunk."""
    spec = models.TaskWriteRequest(name="photos", labels=[{"name": "thing"}], segment_size=3)
    params = {"image_quality": 70, "chunk_size": 2}
    return client.tasks.create_from_data(spec=spec, resources=PHOTOS, data_params=params)


@pytest.fixture
def jobs(task: Task) -> list[Any]:
    """In the order of their frames: 0-2, 3-5, 6."""
    return sorted(task.get_jobs(), key=lambda job: job.start_frame)


def entries(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sizes(content: bytes) -> list[tuple[int, int]]:
    return [Image.open(io.BytesIO(entry)).size for entry in entries(content).values()]


def photo_sizes(first: int, last: int) -> list[tuple[int, int]]:
    return [Image.open(path).size for path in FRAMES[first : last + 1]]


def test_original_frames_are_the_files(task: Task, jobs: list[Any]) -> None:
    for number, path in enumerate(FRAMES):
        assert task.get_frame(number, quality="original").read() == path.read_bytes()
    assert jobs[1].get_frame(4, quality="original").read() == FRAMES[4].read_bytes()


def test_compressed_frames_look_like_the_files(task: Task, jobs: list[Any]) -> None:
    for number, path in enumerate(FRAMES):
        pixels = decode(task.get_frame(number).read()).astype(int)
        assert np.abs(pixels - decode(path.read_bytes())).mean() < 6
    assert jobs[2].get_frame(6, quality="compressed").read() == task.get_frame(6).read()


def test_downloaded_frames(task: Task, tmp_path: Path) -> None:
    found = task.download_frames([0, 6], outdir=tmp_path, quality="original", filename_pattern="{frame_id}{frame_ext}")
    assert found is None
    assert {path.name for path in tmp_path.iterdir()} == {"0.png", "6.jpg"}
    assert np.array_equal(decode((tmp_path / "0.png").read_bytes()), decode(FRAMES[0].read_bytes()))


def test_chunks_of_a_task(task: Task) -> None:
    for number in range(4):
        out = io.BytesIO()
        task.download_chunk(number, out, quality="compressed")
        assert list(entries(out.getvalue())) == [f"{i:06d}.jpeg" for i in range(1 if number == 3 else 2)]
        assert sizes(out.getvalue()) == photo_sizes(2 * number, 2 * number + 1)
    out = io.BytesIO()
    task.download_chunk(2, out, quality="original")
    assert list(entries(out.getvalue()).values()) == [path.read_bytes() for path in FRAMES[4:6]]


def test_chunks_of_a_job(http: httpx.Client, jobs: list[Any]) -> None:
    """Its own chunks start at its first frame; of the task's chunks it gets its part."""
    url = f"/api/jobs/{jobs[1].id}/data"
    of = {"type": "chunk", "quality": "original"}
    contents = {
        (name, number): list(entries(http.get(url, params=of | {name: number}).content).values())
        for name, number in (("index", 0), ("index", 1), ("number", 1), ("number", 2))
    }
    frames = {number: FRAMES[number].read_bytes() for number in range(7)}
    assert contents == {
        ("index", 0): [frames[3], frames[4]],
        ("index", 1): [frames[5]],
        ("number", 1): [frames[3]],
        ("number", 2): [frames[4], frames[5]],
    }


def test_previews(client: Client, task: Task, jobs: list[Any]) -> None:
    preview = Image.open(task.get_preview())
    assert (preview.format, preview.size) == ("JPEG", (256, 256))
    assert jobs[0].get_preview().read() == task.get_preview().read()
    assert Image.open(jobs[2].get_preview()).size[0] == 256


def test_previews_without_data(client: Client, http: httpx.Client) -> None:
    task = client.tasks.create(models.TaskWriteRequest(name="empty", labels=[]))
    url = f"/api/tasks/{task.id}/preview"
    assert http.get(url).status_code == 404
    empty = http.get(url, headers={"Prefer": "handling=empty"})
    assert (empty.status_code, empty.content) == (204, b"")
    assert (empty.headers["Vary"], empty.headers["Preference-Applied"]) == ("Prefer", "handling=empty")
    for path in ("data?type=chunk&number=0", "data/meta"):
        assert http.get(f"/api/tasks/{task.id}/{path}").status_code == 404


def test_chunks_say_what_they_are(http: httpx.Client, task: Task) -> None:
    answer = http.get(f"/api/tasks/{task.id}/data", params={"type": "chunk", "number": 0})
    content = answer.content
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Length"] == str(len(content))
    assert answer.headers["X-Checksum"] == str(zlib.crc32(content[:1000], zlib.crc32(str(len(content)).encode())))
    meta = http.get(f"/api/tasks/{task.id}/data/meta").json()
    assert answer.headers["X-Updated-Date"] == meta["chunks_updated_date"]


@pytest.mark.parametrize("quality", ["original", "compressed"])
def test_ranges(http: httpx.Client, task: Task, quality: str) -> None:
    url = f"/api/tasks/{task.id}/data?type=chunk&number=1&quality={quality}"
    whole = http.get(url).content
    size = len(whole)
    for text, part in {
        "bytes=0-99": slice(0, 100),
        "bytes=100-": slice(100, None),
        "bytes=-50": slice(size - 50, None),
        f"bytes=10-{size * 2}": slice(10, None),
        f"bytes=-{size * 2}": slice(0, None),
    }.items():
        answer = http.get(url, headers={"Range": text})
        start, end, _ = part.indices(size)
        assert (answer.status_code, answer.content) == (206, whole[part])
        assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
    for text in (f"bytes={size}-", f"bytes={size + 5}-{size + 9}", "bytes=-0"):
        answer = http.get(url, headers={"Range": text})
        assert (answer.status_code, answer.content) == (416, b"")
        assert answer.headers["Content-Range"] == f"bytes */{size}"
    for text in ("bytes=5-2", "lines=1-2", "bytes=1-2,5-6", "bytes=-", "bytes"):
        assert http.get(url, headers={"Range": text}).status_code == 200
    assert http.get(url, headers={"Range": "bytes=0-9", "If-Range": '"x"'}).status_code == 200


def test_what_is_not_there_is_refused_in_words(http: httpx.Client, task: Task) -> None:
    for query in (
        "",
        "type=preview&number=0",
        "type=chunk",
        "type=frame",
        "type=frame&number=x",
        "type=frame&number=-1",
        "type=frame&number=7",
        "type=chunk&number=4",
        "type=chunk&number=0&quality=best",
        "type=chunk&number=99999999999999999999",
    ):
        answer = http.get(f"/api/tasks/{task.id}/data?{query}")
        assert (answer.status_code, type(answer.json())) == (400, str), query


def test_a_job_has_its_own_frames_only(http: httpx.Client, jobs: list[Any]) -> None:
    url = f"/api/jobs/{jobs[1].id}/data"
    bad = [
        "type=chunk",
        "type=chunk&number=1&index=0",
        "type=chunk&index=2",
        "type=chunk&number=0",
        "type=frame&number=2",
    ]
    assert [http.get(f"{url}?{query}").status_code for query in bad] == [400] * 5
    assert http.get(f"{url}?type=context_image&number=3").status_code == 404


def test_others_do_not_see_it(server: Server, task: Task, jobs: list[Any]) -> None:
    user = server.add_user(("worker", "correct horse"))
    worker = server.http(("worker", "correct horse"))
    urls = [f"/api/jobs/{jobs[0].id}/{path}" for path in ("data?type=chunk&index=0", "data/meta", "preview")]
    assert [worker.get(url).status_code for url in urls] == [403] * 3
    jobs[0].update({"assignee": user})
    assert [worker.get(url).status_code for url in urls] == [200] * 3
    assert worker.get(f"/api/tasks/{task.id}/data?type=chunk&number=0").status_code == 403


def test_turned_photos_are_sent_upright(client: Client, tmp_path: Path) -> None:
    picture = Image.open(io.BytesIO(noise(40, 20)))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "turned.jpg", exif=exif)
    spec = models.TaskWriteRequest(name="turned", labels=[])
    task = client.tasks.create_from_data(
        spec=spec, resources=[tmp_path / "turned.jpg"], data_params={"image_quality": 90}
    )
    [frame] = task.get_frames_info()
    assert (frame.width, frame.height) == (20, 40)
    for quality in ("original", "compressed", "original"):
        assert Image.open(task.get_frame(0, quality=quality)).size == (20, 40)


def test_a_chunk_is_made_once_for_all_who_wait(
    http: httpx.Client, server: Server, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    make = chunks.compressed_chunk

    def slowly(*args: Any) -> None:
        made.append(threading.current_thread().name)
        time.sleep(0.3)
        make(*args)

    monkeypatch.setattr("api.media.pictures.compressed_chunk", slowly)
    url = f"/api/tasks/{task.id}/data?type=chunk&number=0"
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: http.get(url), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len(made) == 1


def test_a_wait_that_is_too_long_is_explained(
    http: httpx.Client, server: Server, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    make = chunks.compressed_chunk

    def when_told(*args: Any) -> None:
        go_on.wait(60)
        make(*args)

    monkeypatch.setattr("api.media.pictures.compressed_chunk", when_told)
    server.services.preparing = Preparing(wait_seconds=0.1)
    url = f"/api/tasks/{task.id}/data?type=chunk&number=0"
    busy = http.get(url)
    assert (busy.status_code, busy.headers["Retry-After"]) == (429, "10")
    assert "goes on being prepared" in busy.json()["detail"]
    go_on.set()
    server.services.preparing = Preparing()
    assert http.get(url).status_code == 200


def test_many_frames_are_all_described(client: Client, http: httpx.Client, server: Server, tmp_path: Path) -> None:
    task = client.tasks.create_from_data(
        spec=models.TaskWriteRequest(name="large", labels=[]),
        resources=write(tmp_path, ["first.jpg"]),
        data_params={"image_quality": 70},
    )
    server.doctored = True
    with server.system.database.connection() as connection:
        connection.execute(
            "INSERT INTO frames SELECT %s, n, 'frame \"' || n || '\".jpg', '', 1, 640, 480, 0"
            " FROM generate_series(1, 99999) n",
            (task.id,),
        )
        connection.execute("UPDATE data SET size = 100000 WHERE task_id = %s", (task.id,))
    answer = http.get(f"/api/tasks/{task.id}/data/meta")
    frames = answer.json()["frames"]
    assert (len(frames), frames[-1]["name"], frames[-1]["width"]) == (100_000, 'frame "99999".jpg', 640)
