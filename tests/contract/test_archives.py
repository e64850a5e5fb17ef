"""Archives in place of files."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cvat_sdk import Client, models
from cvat_sdk.core.exceptions import BackgroundRequestException
from cvat_sdk.core.proxies.tasks import Task

from .clips import number_of, write_clip
from .conftest import Server
from .pictures import decode, noise

PICTURES = {name: noise(seed=seed) for seed, name in enumerate(["b/2.jpg", "a.jpg", "b/10.jpg"])}


def create(client: Client, resources: list[Path], data_params: dict[str, Any] | None = None) -> Task:
    spec = models.TaskWriteRequest(name="packed", labels=[{"name": "thing"}])
    return client.tasks.create_from_data(
        spec=spec, resources=resources, data_params={"image_quality": 70} | (data_params or {})
    )


def pack(path: Path, files: Mapping[str, bytes]) -> Path:
    """As the name of the archive says."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path
    with tarfile.open(path, "w:gz" if path.suffix in (".gz", ".tgz") else "w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def manifest(*images: tuple[str, int, int]) -> bytes:
    lines: list[dict[str, Any]] = [{"version": "1.1"}, {"type": "images"}]
    for name, width, height in images:
        stem, _, extension = name.rpartition(".")
        lines.append({"name": stem, "extension": f".{extension}", "width": width, "height": height, "meta": {}})
    return "\n".join(map(json.dumps, lines)).encode()


def names(task: Task) -> list[str]:
    return [frame.name for frame in task.get_frames_info()]


@pytest.mark.parametrize("name", ["photos.zip", "photos.tar", "photos.tar.gz", "PHOTOS.TGZ"])
def test_pictures_come_out_of_archives(client: Client, tmp_path: Path, name: str) -> None:
    others = {"readme.txt": b"hello", "__MACOSX/b/._2.jpg": b"x", "b/.hidden.jpg": b"x", "b/notes.xml": b"<a/>"}
    task = create(client, [pack(tmp_path / name, PICTURES | others)], {"sorting_method": "natural"})
    assert names(task) == ["a.jpg", "b/2.jpg", "b/10.jpg"]
    assert task.get_frame(1, quality="original").read() == PICTURES["b/2.jpg"]
    assert task.media_type == "image"


def test_frames_are_selected_from_an_archive(client: Client, tmp_path: Path) -> None:
    files = {f"{number}.jpg": noise(seed=number) for number in range(5)} | {"4.jpg": b"broken, but not wanted"}
    task = create(client, [pack(tmp_path / "a.zip", files)], {"start_frame": 1, "stop_frame": 3, "frame_step": 2})
    assert names(task) == ["1.jpg", "3.jpg"]


def test_a_video_comes_out_of_an_archive(client: Client, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 5)
    task = create(client, [pack(tmp_path / "clip.zip", {"x/clip.mp4": clip.read_bytes(), "readme.txt": b""})])
    assert (task.mode, task.size, task.get_frames_info()[0].name) == ("interpolation", 5, "x/clip.mp4")
    assert number_of(task.get_frame(3).read()) == 3


@pytest.mark.parametrize("inside", [True, False])
def test_a_manifest_tells_the_order(client: Client, tmp_path: Path, inside: bool) -> None:
    order = ["b/2.jpg", "b/10.jpg", "a.jpg"]
    text = manifest(*((name, 32, 24) for name in order))
    files = [pack(tmp_path / "a.zip", PICTURES | ({"manifest.jsonl": text} if inside else {}))]
    if not inside:
        files.append(tmp_path / "manifest.jsonl")
        files[-1].write_bytes(text)
    assert names(create(client, files, {"sorting_method": "predefined"})) == order
    assert names(create(client, files)) == ["a.jpg", "b/10.jpg", "b/2.jpg"]


def test_a_manifest_beside_files(client: Client, tmp_path: Path) -> None:
    order = ["2.jpg", "1.jpg"]
    for seed, name in enumerate(order):
        (tmp_path / name).write_bytes(noise(seed=seed))
    (tmp_path / "m.jsonl").write_bytes(manifest(*((name, 32, 24) for name in order)))
    files = [tmp_path / name for name in ("1.jpg", "m.jsonl", "2.jpg")]
    assert names(create(client, files, {"sorting_method": "predefined"})) == order


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (manifest(("a.jpg", 32, 24), ("b/2.jpg", 32, 24)), r"does not name these images: b/10\.jpg"),
        (manifest(*((name, 32, 25) for name in PICTURES)), r"a\.jpg is 32 x 24 pixels; manifest\.jsonl says 32 x 25"),
        (b'{"version": "1.0"}\n{"type": "video"}\n', "is not a manifest of images"),
        (b'{"version": "1.0"}\n{"type": "images"}\n{"name": 3}', "manifest.jsonl, line 3"),
        (b"\xff\xfe{", "manifest.jsonl, line 1"),
        (100_000 * b"[", "manifest.jsonl, line 1"),
        (b"", "is not a manifest of images"),
    ],
)
def test_a_wrong_manifest_is_named(client: Client, tmp_path: Path, text: bytes, message: str) -> None:
    with pytest.raises(BackgroundRequestException, match=message):
        create(client, [pack(tmp_path / "a.zip", PICTURES | {"manifest.jsonl": text})])


def test_a_predefined_order_of_an_archive_needs_a_manifest(client: Client, tmp_path: Path) -> None:
    with pytest.raises(BackgroundRequestException, match=r"a\.zip.*needs a manifest"):
        create(client, [pack(tmp_path / "a.zip", PICTURES)], {"sorting_method": "predefined"})


def test_context_images(client: Client, tmp_path: Path) -> None:
    side = {f"b/related_images/2_jpg/{name}": noise(50, 40, seed) for seed, name in enumerate(["left.png", "top.jpg"])}
    stray = {"related_images/gone_jpg/x.jpg": noise()}
    task = create(client, [pack(tmp_path / "a.zip", PICTURES | side | stray)])
    assert [(frame.name, frame.related_files) for frame in task.get_frames_info()] == [
        ("a.jpg", 0),
        ("b/10.jpg", 0),
        ("b/2.jpg", 2),
    ]
    [job] = task.get_jobs()
    for api, part in ((client.api_client.tasks_api, task), (client.api_client.jobs_api, job)):
        wanted = {"type": "context_image", "number": 2, "quality": "original"}
        _, answer = api.retrieve_data(part.id, **wanted, _parse_response=False)
        with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
            assert archive.namelist() == ["left.png.jpg", "top.jpg.jpg"]
            assert decode(archive.read("left.png.jpg")).shape == (40, 50, 3)


@pytest.mark.parametrize("name", ["../up.jpg", "/etc/up.jpg", "a/../../up.jpg", "..\\up.jpg", "C:\\up.jpg"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_that_lead_out_are_refused(client: Client, tmp_path: Path, kind: str, name: str) -> None:
    with pytest.raises(BackgroundRequestException, match=rf"evil\.{kind} holds a file whose name leads out of it"):
        create(client, [pack(tmp_path / f"evil.{kind}", {name: noise()})])
    assert not list(tmp_path.parent.rglob("up.jpg"))


def test_links_are_refused(client: Client, tmp_path: Path) -> None:
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        with tarfile.open(tmp_path / "evil.tar", "w") as tar:
            member = tarfile.TarInfo("a.jpg")
            member.type, member.linkname = kind, "/etc/passwd"
            tar.addfile(member)
        with pytest.raises(BackgroundRequestException, match=r"evil\.tar holds a link"):
            create(client, [tmp_path / "evil.tar"])
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        link = zipfile.ZipInfo("a.jpg")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(BackgroundRequestException, match=r"evil\.zip holds a link"):
        create(client, [tmp_path / "evil.zip"])


def test_bombs_are_refused(client: Client, server: Server, tmp_path: Path) -> None:
    server.settings.max_upload_bytes = 10_000_000
    for name in ("bomb.zip", "bomb.tgz"):
        with pytest.raises(BackgroundRequestException, match=rf"{name} unpacks to more than 10,000,000 bytes"):
            create(client, [pack(tmp_path / name, {f"{n}.bmp": bytes(6_000_000) for n in range(2)})])
    server.settings.max_archive_files = 2
    with pytest.raises(BackgroundRequestException, match=r"many\.zip holds more than 2 files"):
        create(client, [pack(tmp_path / "many.zip", {f"{n}.txt": b"" for n in range(3)})])


def test_broken_archives_are_named(client: Client, tmp_path: Path) -> None:
    whole = pack(tmp_path / "whole.zip", PICTURES).read_bytes()
    damaged = bytearray(whole)
    damaged[200:210] = bytes(10)
    packed = pack(tmp_path / "whole.tar.gz", PICTURES).read_bytes()
    for name, content in {
        "cut.zip": whole[:-30],
        "damaged.zip": bytes(damaged),
        "text.zip": b"hello",
        "empty.tar": b"",
        "text.tar": b"hello" * 1_000,
        "cut.tar.gz": packed[: len(packed) // 2],
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BackgroundRequestException, match=rf"{name}|No media data found"):
            create(client, [tmp_path / name])


def test_an_archive_stands_alone(client: Client, tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.zip", PICTURES)
    (tmp_path / "a.jpg").write_bytes(noise())
    with pytest.raises(BackgroundRequestException, match="Only one archive"):
        create(client, [archive, tmp_path / "a.jpg"])
    (tmp_path / "a.rar").write_bytes(b"x")
    with pytest.raises(BackgroundRequestException, match=r"a\.rar is an archive of a kind"):
        create(client, [tmp_path / "a.rar"])
    with pytest.raises(BackgroundRequestException, match=r"inner\.zip is an archive of a kind, or in a place"):
        create(client, [pack(tmp_path / "b.zip", {"inner.zip": archive.read_bytes()})])
    with pytest.raises(BackgroundRequestException, match="No media data found"):
        create(client, [pack(tmp_path / "c.zip", {"readme.txt": b""})])
    with pytest.raises(BackgroundRequestException, match=r"holds a\.jpg twice"):
        create(client, [pack(tmp_path / "d.zip", {"a.jpg": noise(), "./a.jpg": noise()})])
