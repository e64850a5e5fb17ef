"""Videos as CVAT's own client sends them and gets them back."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from cvat_sdk import Client, models
from cvat_sdk.core.exceptions import BackgroundRequestException
from cvat_sdk.core.proxies.tasks import Task
from PIL import Image

from infra.media.chunks import checksum

from .clips import HEIGHT, WIDTH, number_of, numbers_of_video, turn, write_clip
from .conftest import Server
from .pictures import write


def create(client: Client, resources: list[Path], data_params: dict[str, Any] | None = None, **options: Any) -> Task:
    spec = models.TaskWriteRequest(name="clip", labels=[{"name": "thing"}], **options)
    return client.tasks.create_from_data(
        spec=spec, resources=resources, data_params={"image_quality": 70} | (data_params or {})
    )


def chunk(task: Task, number: int, quality: str = "compressed") -> bytes:
    out = io.BytesIO()
    task.download_chunk(number, out, quality=quality)
    return out.getvalue()


def zipped(content: bytes) -> list[int]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == [f"{index:06d}.jpeg" for index in range(len(archive.namelist()))]
        return [number_of(archive.read(name)) for name in archive.namelist()]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """100 frames, with frames that are stored in another order than they are shown."""
    return write_clip(tmp_path / "clip.mp4", 100, bf="3", g="12")


def test_a_video_becomes_a_task(client: Client, clip: Path) -> None:
    task = create(client, [clip], segment_size=40)
    assert (task.size, task.mode, task.media_type, task.dimension) == (100, "interpolation", "image", "2d")
    assert (task.data_original_chunk_type, task.data_compressed_chunk_type) == ("video", "video")
    assert task.data_chunk_size == 36
    assert (task.segment_size, task.overlap) == (40, 5)
    jobs = sorted(task.get_jobs(), key=lambda job: job.start_frame)
    assert [(job.start_frame, job.stop_frame, job.mode) for job in jobs] == [
        (0, 39, "interpolation"),
        (35, 74, "interpolation"),
        (70, 99, "interpolation"),
    ]
    meta = task.get_meta()
    assert [frame.to_dict() for frame in meta.frames] == [
        {"name": "clip.mp4", "width": WIDTH, "height": HEIGHT, "related_files": 0, "has_related_context": False}
    ]
    part = jobs[1].get_meta()
    assert (part.size, part.start_frame, part.stop_frame, len(part.frames)) == (40, 35, 74, 1)


def test_frames_of_a_video(client: Client, clip: Path, tmp_path: Path) -> None:
    task = create(client, [clip], segment_size=40)
    assert [number_of(task.get_frame(number).read()) for number in (0, 1, 50, 99)] == [0, 1, 50, 99]
    assert Image.open(task.get_frame(7)).format == "JPEG"
    original = Image.open(task.get_frame(7, quality="original"))
    assert (original.format, original.size, number_of(original)) == ("PNG", (WIDTH, HEIGHT), 7)
    job = sorted(task.get_jobs(), key=lambda job: job.start_frame)[1]
    assert number_of(job.get_frame(36, quality="compressed").read()) == 36
    assert number_of(job.get_preview().read()) == 35
    assert number_of(task.get_preview().read()) == 0
    task.download_frames([3, 98], outdir=tmp_path, filename_pattern="{frame_id}{frame_ext}")
    assert [number_of((tmp_path / f"{number}.png").read_bytes()) for number in (3, 98)] == [3, 98]


@pytest.mark.parametrize("quality", ["compressed", "original"])
def test_chunks_of_a_video_are_videos(client: Client, http: httpx.Client, clip: Path, quality: str) -> None:
    task = create(client, [clip], segment_size=40)
    content = chunk(task, 1, quality)
    assert numbers_of_video(content) == list(range(36, 72))
    with av.open(io.BytesIO(content)) as video:
        codec = video.streams.video[0].codec_context
        assert (video.format.name.split(",")[1], codec.name, codec.profile) == ("mp4", "h264", "Constrained Baseline")
        assert (codec.width, codec.height, codec.pix_fmt) == (WIDTH, HEIGHT, "yuv420p")
    job = sorted(task.get_jobs(), key=lambda job: job.start_frame)[1]
    url = f"/api/jobs/{job.id}/data?type=chunk&quality={quality}"
    assert numbers_of_video(http.get(f"{url}&index=0").content) == list(range(35, 71))
    assert numbers_of_video(http.get(f"{url}&number=1").content) == list(range(36, 72))
    whole = http.get(f"{url}&index=1")
    assert whole.headers["X-Checksum"] == str(checksum(len(whole.content), whole.content))
    assert whole.headers["X-Updated-Date"] == http.get(f"/api/jobs/{job.id}/data/meta").json()["chunks_updated_date"]
    answer = http.get(f"{url}&index=1", headers={"Range": "bytes=4-7"})
    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (206, b"ftyp", "video/mp4")


def test_chunks_of_a_video_can_be_zips(client: Client, clip: Path) -> None:
    task = create(client, [clip], {"use_zip_chunks": True, "chunk_size": 10})
    assert (task.data_original_chunk_type, task.data_compressed_chunk_type) == ("video", "imageset")
    assert zipped(chunk(task, 3)) == list(range(30, 40))
    assert numbers_of_video(chunk(task, 3, "original")) == list(range(30, 40))


def test_a_chunk_that_is_a_zip_has_as_many_frames_as_one_of_images(client: Client, clip: Path) -> None:
    assert create(client, [clip], {"use_zip_chunks": True}).data_chunk_size == 72


def test_frames_are_selected_from_a_video(client: Client, clip: Path) -> None:
    params = {"start_frame": 10, "stop_frame": 80, "frame_step": 30, "chunk_size": 2, "use_zip_chunks": True}
    task = create(client, [clip], params)
    assert task.size == 3
    assert [number_of(task.get_frame(number).read()) for number in range(3)] == [10, 40, 70]
    assert [zipped(chunk(task, number)) for number in range(2)] == [[10, 40], [70]]
    meta = task.get_meta()
    assert (meta.start_frame, meta.stop_frame, meta.size, meta.frame_filter) == (10, 70, 3, "step=30")


def test_a_stop_frame_of_zero_is_the_first_frame(client: Client, clip: Path) -> None:
    assert create(client, [clip], {"stop_frame": 0}).size == 1


def test_a_video_is_turned_upright(client: Client, tmp_path: Path) -> None:
    task = create(client, [turn(write_clip(tmp_path / "phone.mp4", 5))])
    [frame] = task.get_frames_info()
    assert (frame.width, frame.height) == (HEIGHT, WIDTH)
    for quality in ("compressed", "original"):
        picture = Image.open(task.get_frame(3, quality=quality))
        assert picture.size == (HEIGHT, WIDTH)
        # It was filmed with the device turned to the left: turned back, it is what was put into the file.
        assert number_of(picture.rotate(90, expand=True)) == 3
    with av.open(io.BytesIO(chunk(task, 0))) as video:
        assert (video.streams.video[0].width, video.streams.video[0].height) == (HEIGHT, WIDTH)


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "options"),
    [
        ("clip.mov", "libx264", "yuv420p", {"bf": "2", "g": "7"}),
        ("clip.avi", "mpeg4", "yuv420p", {"bf": "2", "g": "7"}),
        ("clip.AVI", "libx264", "yuv420p", {"bf": "2", "g": "7"}),
        ("clip.mkv", "ffv1", "yuv420p", {}),
        ("clip.webm", "libvpx-vp9", "yuv420p", {"lag-in-frames": "8", "auto-alt-ref": "1", "deadline": "realtime"}),
    ],
)
def test_containers_and_codecs(
    client: Client, tmp_path: Path, name: str, codec: str, pixels: str, options: dict[str, str]
) -> None:
    task = create(client, [write_clip(tmp_path / name, 30, codec, pixels, **options)], {"chunk_size": 9})
    assert task.size == 30
    assert [number_of(task.get_frame(number).read()) for number in (29, 0, 16)] == [29, 0, 16]
    assert numbers_of_video(chunk(task, 2)) == list(range(18, 27))


def test_a_broken_video_is_named(client: Client, clip: Path, tmp_path: Path) -> None:
    for name, content in {
        "cut.mp4": clip.read_bytes()[:-2_000],
        "empty.mp4": b"",
        "text.webm": b"no video " * 100,
        "list.mp4": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BackgroundRequestException, match=name):
            create(client, [tmp_path / name])


def test_a_video_stands_alone(client: Client, clip: Path, tmp_path: Path) -> None:
    second = write_clip(tmp_path / "other.mp4", 2)
    for others in ([second], write(tmp_path, ["a.jpg"])):
        with pytest.raises(BackgroundRequestException, match="Only one video"):
            create(client, [clip, *others])
    with pytest.raises(BackgroundRequestException, match="can't be used with a video"):
        create(client, [clip], {"job_file_mapping": [["clip.mp4"]]})
    (tmp_path / "clip.wmv").write_bytes(b"x")
    with pytest.raises(BackgroundRequestException, match=r"clip\.wmv is a video of a kind"):
        create(client, [tmp_path / "clip.wmv"])


def test_limits_of_videos(client: Client, server: Server, clip: Path) -> None:
    server.settings.max_video_pixels = 1_000
    with pytest.raises(BackgroundRequestException, match=r"clip\.mp4 has 15,360 pixels; at most 1,000"):
        create(client, [clip])
    server.settings.max_video_pixels = 1_000_000
    server.settings.max_video_decoding_seconds = 1e-6
    with pytest.raises(BackgroundRequestException, match=r"clip\.mp4 takes longer"):
        create(client, [clip])
