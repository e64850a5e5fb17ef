"""Tasks made from files of the share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from cvat_sdk import Client, models
from cvat_sdk.core.exceptions import BackgroundRequestException
from cvat_sdk.core.proxies.tasks import ResourceType, Task

from infra.settings import Settings

from .clips import write_clip
from .conftest import Server
from .pictures import noise


@pytest.fixture
def share(tmp_path: Path) -> Path:
    """`a.jpg`, and in `day/` photos 1 and 2, with something beside photo 1 and something that is no picture."""
    root = tmp_path / "share"
    files = ["a.jpg", "day/1.jpg", "day/2.jpg", "day/notes.txt", "day/related_images/1_jpg/side.png", "day/night/3.jpg"]
    for seed, name in enumerate(files):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(noise(seed=seed, kind="PNG" if name.endswith("png") else "JPEG"))
    return root


@pytest.fixture
def settings(data_folder: Path, share: Path) -> Settings:
    return Settings(data=data_folder, share=share, request_hold_seconds=50)


def create(client: Client, paths: list[str], **data_params: Any) -> Task:
    spec = models.TaskWriteRequest(name="shared", labels=[{"name": "thing"}])
    return client.tasks.create_from_data(
        spec=spec, resource_type=ResourceType.SHARE, resources=paths, data_params={"image_quality": 70} | data_params
    )


def names(task: Task) -> list[str]:
    return [frame.name for frame in task.get_frames_info()]


def test_files_and_folders(client: Client, share: Path) -> None:
    task = create(client, ["day", "a.jpg"])
    assert names(task) == ["a.jpg", "day/1.jpg", "day/2.jpg", "day/night/3.jpg"]
    assert task.get_frame(1, quality="original").read() == (share / "day/1.jpg").read_bytes()
    assert [frame.related_files for frame in task.get_frames_info()] == [0, 1, 0, 0]
    (share / "day/1.jpg").unlink()
    assert task.get_frame(1).read()


def test_what_is_shown_beside_a_file_comes_with_it(client: Client) -> None:
    [frame] = create(client, ["day/1.jpg"]).get_frames_info()
    assert (frame.name, frame.related_files) == ("day/1.jpg", 1)


def test_files_in_the_order_in_which_they_are_named(client: Client) -> None:
    assert names(create(client, ["/day/2.jpg", "a.jpg"], sorting_method="predefined")) == ["day/2.jpg", "a.jpg"]


def test_files_are_left_out(client: Client) -> None:
    assert names(create(client, ["/"], server_files_exclude=["day/night/", "a.jpg"])) == ["day/1.jpg", "day/2.jpg"]
    assert names(create(client, ["/"], filename_pattern="day/*.jpg", copy_data=True)) == [
        "day/1.jpg",
        "day/2.jpg",
        "day/night/3.jpg",
    ]


def test_videos_of_the_share(client: Client, share: Path) -> None:
    write_clip(share / "clips" / "x.mp4" if (share / "clips").mkdir() is None else share, 4)
    assert create(client, ["clips/x.mp4"]).size == create(client, ["clips"]).size == 4


@pytest.mark.parametrize("path", ["gone.jpg", "../secret.jpg", "day/../../secret.jpg", "link.jpg", "folder/secret.jpg"])
def test_nothing_outside_is_reached(client: Client, share: Path, path: str) -> None:
    (share.parent / "secret.jpg").write_bytes(noise())
    (share / "link.jpg").symlink_to(share.parent / "secret.jpg")
    (share / "folder").symlink_to(share.parent)
    with pytest.raises(BackgroundRequestException, match=f"{path} was not found in the share"):
        create(client, [path])


def test_linked_folders_do_not_go_round(client: Client, share: Path) -> None:
    (share / "day" / "again").symlink_to(share)
    (share / "day" / "4.jpg").symlink_to(share / "a.jpg")
    (share / "day" / "out.jpg").symlink_to("/etc/passwd")
    (share / "day" / "round.jpg").symlink_to(share / "day" / "round.jpg")
    assert names(create(client, ["day"])) == ["day/1.jpg", "day/2.jpg", "day/4.jpg", "day/night/3.jpg"]


def test_the_share_is_listed(http: httpx.Client, share: Path) -> None:
    (share / "secret").symlink_to("/etc")
    (share / "circle").symlink_to(share / "circle")
    (share / "pack.zip").write_bytes(b"")
    top = [
        {"name": "a.jpg", "type": "REG", "mime_type": "image"},
        {"name": "day", "type": "DIR", "mime_type": "DIR"},
        {"name": "pack.zip", "type": "REG", "mime_type": "zip"},
    ]
    assert http.get("/api/server/share").json() == top
    assert http.get("/api/server/share", params={"directory": "/", "search": "da"}).json() == top[1:2]
    found = http.get("/api/server/share", params={"directory": "/day/"}).json()
    assert [(entry["name"], entry["mime_type"]) for entry in found] == [
        ("1.jpg", "image"),
        ("2.jpg", "image"),
        ("night", "DIR"),
        ("notes.txt", "unknown"),
        ("related_images", "DIR"),
    ]
    for folder in ("..", "/../..", "secret", "a.jpg", "gone", "day/\x00", "x" * 300, "circle"):
        answer = http.get("/api/server/share", params={"directory": folder})
        assert (answer.status_code, type(answer.json())) == (400, str)


def test_the_share_is_for_those_who_are_logged_in(server: Server) -> None:
    assert httpx.get(f"{server.url}/api/server/share").status_code == 401


def test_without_a_share(server: Server, http: httpx.Client, client: Client) -> None:
    server.settings.share = None
    assert http.get("/api/server/share").json() == []
    task = client.tasks.create(models.TaskWriteRequest(name="none", labels=[]))
    answer = http.post(f"/api/tasks/{task.id}/data", json={"image_quality": 70, "server_files": ["a.jpg"]})
    assert (answer.status_code, answer.json()) == (400, {"server_files": ["This server has no share."]})


def test_too_many_files(client: Client, server: Server) -> None:
    server.settings.max_archive_files = 2
    with pytest.raises(BackgroundRequestException, match="there are more than 2 files"):
        create(client, ["/"])
