"""From files to jobs, through CVAT's own client."""

from __future__ import annotations

import base64
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from cvat_sdk import Client, models
from cvat_sdk.core.exceptions import BackgroundRequestException
from cvat_sdk.core.proxies.tasks import Task

from ..waiting import wait_until
from .conftest import ADMIN, Server
from .pictures import PHOTOS, noise, write


def new_task(client: Client, **options: Any) -> Task:
    spec = models.TaskWriteRequest(name="photos", labels=[{"name": "thing"}], **options)
    return client.tasks.create(spec)


def create(client: Client, resources: list[Path], data_params: dict[str, Any] | None = None, **options: Any) -> Task:
    spec = models.TaskWriteRequest(name="photos", labels=[{"name": "thing"}], **options)
    return client.tasks.create_from_data(
        spec=spec, resources=resources, data_params={"image_quality": 70} | (data_params or {})
    )


def segments(task: Task) -> list[tuple[int, int]]:
    return sorted((job.start_frame, job.stop_frame) for job in task.get_jobs())


def names(task: Task) -> list[str]:
    return [frame.name for frame in task.get_frames_info()]


def test_photos_become_jobs(client: Client) -> None:
    task = create(client, PHOTOS, segment_size=2)
    jobs = task.get_jobs()
    assert [(job.start_frame, job.stop_frame) for job in jobs] == [(6, 6), (4, 5), (2, 3), (0, 1)]
    assert [(job.stage, job.state, job.type, job.mode) for job in jobs] == [
        ("annotation", "new", "annotation", "annotation")
    ] * 4
    assert (task.size, task.mode, task.media_type, task.dimension, task.image_quality) == (
        7,
        "annotation",
        "image",
        "2d",
        70,
    )
    assert task.segment_size == 2


def test_frames_are_described(client: Client) -> None:
    task = create(client, PHOTOS, segment_size=5, overlap=1)
    meta = task.get_meta()
    assert [frame.name for frame in meta.frames] == sorted(path.name for path in PHOTOS)
    astronaut = meta.frames[0].to_dict()
    assert astronaut == {
        "name": "astronaut.png",
        "width": 512,
        "height": 512,
        "related_files": 0,
        "has_related_context": False,
    }
    assert (meta.size, meta.start_frame, meta.stop_frame, meta.image_quality) == (7, 0, 6, 70)
    assert (meta.deleted_frames, meta.included_frames, meta.storage) == ([], None, "local")
    last = task.get_jobs()[0].get_meta()
    assert (last.size, last.start_frame, last.stop_frame) == (3, 4, 6)
    assert [frame.name for frame in last.frames] == sorted(path.name for path in PHOTOS)[4:]


def test_frames_are_selected_before_they_are_split(client: Client, tmp_path: Path) -> None:
    files = write(tmp_path, [f"{number:02d}.jpg" for number in range(20)])
    task = create(client, files, {"start_frame": 3, "stop_frame": 17, "frame_step": 4, "chunk_size": 3}, segment_size=2)
    assert names(task) == ["03.jpg", "07.jpg", "11.jpg", "15.jpg"]
    assert segments(task) == [(0, 1), (2, 3)]
    meta = task.get_meta()
    assert (meta.start_frame, meta.stop_frame, meta.frame_filter, meta.chunk_size) == (3, 15, "step=4", 3)
    job = task.get_jobs()[0].get_meta()
    assert (job.start_frame, job.stop_frame, job.size) == (11, 15, 2)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("lexicographical", ["10.jpg", "2.jpg", "a.jpg"]),
        ("natural", ["2.jpg", "10.jpg", "a.jpg"]),
        ("predefined", ["a.jpg", "10.jpg", "2.jpg"]),
    ],
)
def test_files_are_sorted(client: Client, tmp_path: Path, method: str, expected: list[str]) -> None:
    files = write(tmp_path, ["a.jpg", "10.jpg", "2.jpg"])
    assert names(create(client, files, {"sorting_method": method})) == expected


def test_random_sorting_keeps_every_file(client: Client, tmp_path: Path) -> None:
    files = write(tmp_path, [f"{number}.jpg" for number in range(9)])
    task = create(client, files, {"sorting_method": "random"})
    assert sorted(names(task)) == sorted(path.name for path in files)


def test_jobs_follow_a_file_mapping(client: Client, tmp_path: Path) -> None:
    files = write(tmp_path, ["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
    task = create(client, files, {"job_file_mapping": [["c.jpg"], ["a.jpg", "b.jpg"]]})
    assert (names(task), segments(task)) == (["c.jpg", "a.jpg", "b.jpg"], [(0, 0), (1, 2)])
    assert (task.segment_size, task.overlap) == (0, 0)


def test_more_than_a_thousand_files_in_one_form(client: Client, tmp_path: Path) -> None:
    files = write(tmp_path, [f"{number:04d}.png" for number in range(1005)], width=3, height=2, kind="PNG")
    task = create(client, files, segment_size=100)
    assert task.size == 1005
    assert len(segments(task)) == 11
    assert names(task) == [path.name for path in files]


def test_files_of_one_name_are_kept_apart(client: Client, tmp_path: Path) -> None:
    files = [write(tmp_path / folder, ["a.jpg"], width=20 + len(folder))[0] for folder in ("x", "yy")]
    task = create(client, files)
    assert [(frame.name, frame.width) for frame in task.get_frames_info()] == [("a.jpg", 21), ("a_1.jpg", 22)]


def test_nothing_sent_fails_in_words(client: Client) -> None:
    with pytest.raises(BackgroundRequestException, match="No media data found"):
        create(client, [])


def test_a_corrupt_image_is_named_and_the_task_can_be_tried_again(client: Client, tmp_path: Path) -> None:
    files = write(tmp_path, ["a.jpg", "b.jpg", "c.jpg"])
    files[1].write_bytes(files[1].read_bytes()[:200])
    task = new_task(client)
    with pytest.raises(BackgroundRequestException, match=r"b\.jpg"):
        task.upload_data(files)
    task.fetch()
    assert task.jobs.count == 0
    task.upload_data([files[0], files[2]])
    assert (task.size, names(task)) == (2, ["a.jpg", "c.jpg"])


@pytest.mark.parametrize("name", ["clip.mp4", "photos.zip", "notes.txt"])
def test_what_is_no_image_is_named(client: Client, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04 whatever")
    with pytest.raises(BackgroundRequestException, match=name):
        create(client, [*write(tmp_path, ["a.jpg"]), tmp_path / name])


def test_an_oversized_image_is_named(client: Client, server: Server, tmp_path: Path) -> None:
    server.settings.max_image_pixels = 100
    with pytest.raises(BackgroundRequestException, match=r"b\.jpg has 768 pixels; at most 100"):
        create(client, write(tmp_path, ["b.jpg"]))


def test_too_many_jobs_are_refused(client: Client, server: Server, tmp_path: Path) -> None:
    server.settings.max_jobs_per_task = 2
    with pytest.raises(BackgroundRequestException, match="3 jobs"):
        create(client, write(tmp_path, ["a.jpg", "b.jpg", "c.jpg"]), segment_size=1)


def test_a_task_takes_data_once(client: Client) -> None:
    task = create(client, PHOTOS[:1])
    with pytest.raises(Exception, match="already") as caught:
        task.upload_data(PHOTOS[1:2])
    assert caught.value.status == 400
    assert names(task) == [PHOTOS[0].name]


def test_waiting_can_be_left_to_the_caller(client: Client, http: httpx.Client) -> None:
    task = new_task(client)
    task.upload_data(PHOTOS[:2], wait_for_completion=False)
    request_id = f"action=create&target=task&target_id={task.id}"
    request, _ = client.api_client.requests_api.retrieve(request_id)
    assert (request.status.value, request.operation.type, request.owner.username) == (
        "finished",
        "create:task",
        "admin",
    )
    task.fetch()
    assert task.size == 2


class TestSteps:
    """The steps by themselves, as a careful reader of the protocol would try them."""

    @pytest.fixture
    def url(self, client: Client) -> str:
        return f"/api/tasks/{new_task(client).id}/data"

    @pytest.mark.parametrize("slash", ["", "/"])
    @pytest.mark.parametrize("body", [b"", b"{}"])
    def test_statuses(self, http: httpx.Client, url: str, slash: str, body: bytes) -> None:
        json = {"Content-Type": "application/json"}
        assert http.post(url + slash, headers=json | {"Upload-Start": ""}, content=body).status_code == 202
        files = {"client_files[0]": ("/home/me/a.jpg", noise())}
        form = http.post(url + slash, headers={"Upload-Multiple": ""}, data={"image_quality": "70"}, files=files)
        assert form.status_code == 200
        end = http.post(url + slash, headers={"Upload-Finish": "true"}, json={"image_quality": 70, "server_files": []})
        task_id = url.split("/")[3]
        assert (end.status_code, end.json()) == (202, {"rq_id": f"action=create&target=task&target_id={task_id}"})

    def test_one_form_with_files_and_options(self, http: httpx.Client, url: str) -> None:
        files = {f"client_files[{n}]": (f"{n}.jpg", noise(seed=n)) for n in range(3)}
        order = {f"upload_file_order[{n}]": f"{2 - n}.jpg" for n in range(3)}
        options = {"image_quality": "55", "sorting_method": "predefined", **order}
        answer = http.post(url, data=options, files=files)
        assert answer.status_code == 202
        assert http.get(f"/api/requests/{answer.json()['rq_id']}").json()["status"] == "finished"
        meta = http.get(f"{url}/meta").json()
        assert [frame["name"] for frame in meta["frames"]] == ["2.jpg", "1.jpg", "0.jpg"]
        assert meta["image_quality"] == 55

    @pytest.mark.parametrize("headers", [{}, {"Upload-Finish": ""}], ids=["direct", "finish"])
    def test_bad_options_are_refused_at_once(self, http: httpx.Client, url: str, headers: dict[str, str]) -> None:
        cases: list[tuple[dict[str, Any], str]] = [
            ({"image_quality": 0}, "image_quality"),
            ({"image_quality": 70, "frame_filter": "every 2nd"}, "frame_filter"),
            ({"image_quality": 70, "start_frame": 5, "stop_frame": 4}, "non_field_errors"),
            ({"image_quality": 70, "server_files": ["a.jpg"]}, "server_files"),
            (
                {"image_quality": 70, "sorting_method": "predefined", "upload_file_order": ["b.jpg"]},
                "upload_file_order",
            ),
        ]
        for params, field in cases:
            answer = http.post(url, headers=headers, json=params)
            assert (answer.status_code, list(answer.json())) == (400, [field])
        assert http.post(url, headers=headers, content=b"{").status_code == 400
        assert http.get(f"/api/requests/action=create&target=task&target_id={url.split('/')[3]}").status_code == 404

    def test_a_broken_form_leaves_nothing(self, http: httpx.Client, server: Server, url: str) -> None:
        type_ = {"Content-Type": "multipart/form-data; boundary=b", "Upload-Multiple": ""}
        body = b'--b\r\nContent-Disposition: form-data; name="client_files[0]"; filename="a.jpg"\r\n\r\n' + noise()
        answer = http.post(url, headers=type_, content=body)
        assert answer.status_code == 400
        assert "ends in the middle" in answer.text
        assert server.system.app.data.received(int(url.split("/")[3])) == []
        assert stored_files(server) == []

    def test_a_client_that_goes_away_leaves_nothing(self, server: Server, url: str) -> None:
        part = b'--b\r\nContent-Disposition: form-data; name="client_files[0]"; filename="a.jpg"\r\n\r\n'
        headers = ["Upload-Multiple: ", "Content-Type: multipart/form-data; boundary=b", "Content-Length: 100000000"]
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            lines = [f"POST {url} HTTP/1.1", "Host: localhost", f"Authorization: {basic(ADMIN)}", *headers, "", ""]
            connection.sendall("\r\n".join(lines).encode() + part + 2_000_000 * b"x")
            wait_until(lambda: stored_files(server))
        wait_until(lambda: not stored_files(server))

    def test_too_large_a_form_is_refused(self, http: httpx.Client, server: Server, url: str) -> None:
        server.settings.max_upload_bytes = 1_000
        files = {"client_files[0]": ("a.jpg", noise())}
        assert http.post(url, headers={"Upload-Multiple": ""}, files=files).status_code == 413
        assert stored_files(server) == []

    def test_too_many_files_are_refused(self, http: httpx.Client, server: Server, url: str) -> None:
        server.settings.max_files_per_form = 2
        files = {f"client_files[{n}]": (f"{n}.jpg", b"x") for n in range(3)}
        answer = http.post(url, headers={"Upload-Multiple": ""}, files=files)
        assert (answer.status_code, list(answer.json())) == (400, ["client_files"])

    def test_others_may_not_send(self, server: Server, url: str) -> None:
        server.add_user(("mallory", "correct horse"))
        mallory = server.http(("mallory", "correct horse"))
        assert mallory.post(url, headers={"Upload-Start": ""}).status_code == 403
        assert mallory.get(f"{url}/meta").status_code == 403
        assert httpx.post(server.url + url, headers={"Upload-Start": ""}).status_code == 401
        assert server.http().post("/api/tasks/999/data", headers={"Upload-Start": ""}).status_code == 404


def stored_files(server: Server) -> list[Path]:
    return [path for path in server.settings.blobs.rglob("*") if path.is_file() and path.name not in ("owner", "lock")]


def basic(credentials: tuple[str, str]) -> str:
    return "Basic " + base64.b64encode(":".join(credentials).encode()).decode()
