"""Large files come in piece by piece (tus), and nothing that was acknowledged is lost on the way."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from cvat_sdk import Client, models

from api.uploads import unfinished
from domain.errors import Unavailable

from ..waiting import wait_until
from .conftest import Server
from .pictures import noise, write

CHUNK = {"Content-Type": "application/offset+octet-stream", "Tus-Resumable": "1.0.0"}


@dataclass
class Dialog:
    """One upload, as a client with plain HTTP leads it."""

    http: httpx.Client
    url: str

    def patch(self, offset: int, content: bytes) -> httpx.Response:
        return self.http.patch(self.url, headers=CHUNK | {"Upload-Offset": str(offset)}, content=content)

    def head(self) -> httpx.Response:
        return self.http.head(self.url, headers={"Tus-Resumable": "1.0.0"})

    @property
    def offset(self) -> int:
        return int(self.head().headers["Upload-Offset"])


@pytest.fixture
def task_id(client: Client) -> int:
    """Of a task without data."""
    return client.tasks.create(models.TaskWriteRequest(name="large", labels=[])).id


def create(http: httpx.Client, task_id: int, length: int, name: str = "a.jpg") -> httpx.Response:
    metadata = "filename " + base64.b64encode(name.encode()).decode()
    headers = {"Upload-Length": str(length), "Upload-Metadata": metadata, "Tus-Resumable": "1.0.0"}
    return http.post(f"/api/tasks/{task_id}/data/", headers=headers)


def opened(http: httpx.Client, task_id: int, length: int, name: str = "a.jpg") -> Dialog:
    return Dialog(http, create(http, task_id, length, name).headers["Location"])


def received(server: Server, task_id: int) -> list[tuple[str, str, int]]:
    return [(f["name"], f["sha256"], f["size"]) for f in server.system.app.data.received(task_id)]


def file_of(name: str, content: bytes) -> tuple[str, str, int]:
    return name, hashlib.sha256(content).hexdigest(), len(content)


def test_the_sdk_sends_a_large_file(client: Client, tmp_path: Path) -> None:
    """A JPEG that is padded to more than 100 MiB, from where the SDK uses tus, beside a small one."""
    [small] = write(tmp_path, ["b.jpg"])
    large = tmp_path / "a.jpg"
    large.write_bytes(noise())
    os.truncate(large, 101 * 2**20)
    spec = models.TaskWriteRequest(name="large", labels=[])
    task = client.tasks.create_from_data(spec=spec, resources=[large, small], data_params={"image_quality": 70})
    assert [frame.name for frame in task.get_frames_info()] == ["a.jpg", "b.jpg"]
    original = task.get_frame(0, quality="original").read()
    assert hashlib.sha256(original).digest() == hashlib.sha256(large.read_bytes()).digest()


def test_the_dialog(http: httpx.Client, server: Server, task_id: int) -> None:
    content = noise()
    answer = create(http, task_id, len(content), "/home/me/ä.jpg")
    assert answer.status_code == 201
    assert answer.headers["Location"].startswith(f"{server.url}/api/tasks/{task_id}/data/1_")
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    dialog = Dialog(http, answer.headers["Location"])
    assert (dialog.head().headers["Upload-Offset"], dialog.head().headers["Upload-Length"]) == ("0", str(len(content)))
    first = dialog.patch(0, content[:100])
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "100")
    assert dialog.offset == 100
    last = dialog.patch(100, content[100:])
    assert (last.status_code, last.headers["Upload-Offset"]) == (204, str(len(content)))
    assert dialog.head().status_code == 404
    assert received(server, task_id) == [file_of("ä.jpg", content)]
    assert list(server.settings.uploads.iterdir()) == []


def test_the_plain_name_is_told_back(http: httpx.Client, task_id: int) -> None:
    assert create(http, task_id, 1, "im 1.jpg").headers["Upload-Filename"] == "im 1.jpg"


def test_wrong_offsets_change_nothing(http: httpx.Client, server: Server, task_id: int) -> None:
    dialog = opened(http, task_id, 10)
    dialog.patch(0, b"01234")
    for offset in (0, 4, 6):
        answer = dialog.patch(offset, b"xxxx")
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (409, "5")
    assert dialog.http.patch(dialog.url, headers=CHUNK, content=b"x").status_code == 400
    dialog.patch(5, b"56789")
    assert received(server, task_id) == [file_of("a.jpg", b"0123456789")]


def test_bytes_beyond_the_length_are_refused(http: httpx.Client, server: Server, task_id: int) -> None:
    dialog = opened(http, task_id, 10)
    assert dialog.patch(0, b"x" * 11).status_code == 413
    chunked = http.patch(dialog.url, headers=CHUNK | {"Upload-Offset": "0"}, content=iter([b"x" * 6, b"x" * 6]))
    assert (chunked.status_code, dialog.offset) == (413, 0)
    assert dialog.patch(0, b"0123456789").status_code == 204
    assert received(server, task_id) == [file_of("a.jpg", b"0123456789")]


def test_an_empty_file_takes_one_piece(http: httpx.Client, server: Server, task_id: int) -> None:
    assert opened(http, task_id, 0).patch(0, b"").headers["Upload-Offset"] == "0"
    assert received(server, task_id) == [file_of("a.jpg", b"")]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Length": "5"}, 400),
        ({"Upload-Length": "5", "Upload-Metadata": "filename !"}, 400),
        ({"Upload-Length": "5", "Upload-Metadata": "filename Li4="}, 400),
        ({"Upload-Length": "-5", "Upload-Metadata": "filename YS5qcGc="}, 400),
        ({"Upload-Length": str(10**12), "Upload-Metadata": "filename YS5qcGc="}, 413),
    ],
    ids=["no name", "no base64", "unsafe name", "no length", "too long"],
)
def test_bad_announcements_are_refused(http: httpx.Client, task_id: int, headers: dict[str, str], status: int) -> None:
    assert http.post(f"/api/tasks/{task_id}/data/", headers=headers).status_code == status


def test_a_name_is_taken_once(http: httpx.Client, task_id: int) -> None:
    opened(http, task_id, 1).patch(0, b"x")
    assert create(http, task_id, 1).status_code == 409
    http.post(f"/api/tasks/{task_id}/data", headers={"Upload-Start": ""})
    assert create(http, task_id, 1).status_code == 201


def test_uploads_belong_to_their_user_and_task(
    http: httpx.Client, server: Server, client: Client, task_id: int
) -> None:
    dialog = opened(http, task_id, 5)
    server.add_user(("other", "correct horse"), is_admin=True)
    other = Dialog(server.http(("other", "correct horse")), dialog.url)
    assert (other.head().status_code, other.patch(0, b"x").status_code) == (403, 403)
    second = client.tasks.create(models.TaskWriteRequest(name="second", labels=[])).id
    upload_id = dialog.url.rpartition("/")[2]
    for unknown in (
        f"/api/tasks/{second}/data/{upload_id}",
        f"/api/tasks/{task_id}/data/{upload_id[:-1]}",
        f"/api/tasks/{task_id}/data/1_00000000-0000-4000-8000-000000000000",
        f"/api/tasks/{task_id}/data/..%2f..",
    ):
        assert http.head(unknown).status_code == 404
        assert http.patch(unknown, headers=CHUNK | {"Upload-Offset": "0"}, content=b"x").status_code == 404


def test_uploads_survive_a_restart(server: Server, task_id: int) -> None:
    path = opened(server.http(), task_id, 10).url.removeprefix(server.url)
    Dialog(server.http(), server.url + path).patch(0, b"01234")
    server.stop()
    server.start()
    dialog = Dialog(server.http(), path)
    assert dialog.offset == 5
    assert dialog.patch(5, b"56789").status_code == 204
    assert received(server, task_id) == [file_of("a.jpg", b"0123456789")]


def test_parallel_pieces_wait_for_each_other(http: httpx.Client, server: Server, task_id: int) -> None:
    """All claim the same place: one gets it, the others learn how far the upload is."""
    content = os.urandom(3_000_000)
    dialog = opened(http, task_id, len(content))
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: dialog.patch(0, content[:2_000_000]), range(6)))
    assert sorted(answer.status_code for answer in answers) == [204, 409, 409, 409, 409, 409]
    assert {answer.headers["Upload-Offset"] for answer in answers} == {"2000000"}
    dialog.patch(2_000_000, content[2_000_000:])
    assert received(server, task_id) == [file_of("a.jpg", content)]


def test_a_broken_piece_is_kept_as_far_as_it_came(http: httpx.Client, server: Server, task_id: int) -> None:
    content = os.urandom(1_000_000)
    dialog = opened(http, task_id, len(content))
    authorization = http.auth._auth_header  # type: ignore[union-attr]
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        lines = [
            f"PATCH {dialog.url.removeprefix(server.url)} HTTP/1.1",
            "Host: localhost",
            f"Authorization: {authorization}",
            "Upload-Offset: 0",
            f"Content-Length: {len(content)}",
        ]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + content[:600_000])
    wait_until(lambda: dialog.offset > 0)
    offset = dialog.offset
    assert 0 < offset <= 600_000
    assert dialog.patch(offset, content[offset:]).status_code == 204
    assert received(server, task_id) == [file_of("a.jpg", content)]


@pytest.mark.parametrize("moment", ["before the file is recorded", "after the file is recorded"])
def test_a_crash_at_the_end_records_the_file_once(
    http: httpx.Client, server: Server, task_id: int, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """A client that got no answer to its last piece sends it again."""
    dialog = opened(http, task_id, 10)
    dialog.patch(0, b"01234")
    with monkeypatch.context() as crash:
        if moment.startswith("before"):
            crash.setattr(type(server.services.blobs), "put", fail)
        else:
            crash.setattr(unfinished.Upload, "forget", fail)
        assert dialog.patch(5, b"56789").status_code == 503
    assert dialog.offset == 5
    assert dialog.patch(5, b"56789").status_code == 204
    assert received(server, task_id) == [file_of("a.jpg", b"0123456789")]


def test_a_full_disk_is_told_as_such(
    http: httpx.Client, server: Server, task_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = opened(http, task_id, 10)
    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", fill)
        assert dialog.patch(0, b"01234").status_code == create(http, task_id, 5, "b.jpg").status_code == 507
    assert dialog.offset == 0
    assert dialog.patch(0, b"0123456789").status_code == 204
    assert received(server, task_id) == [file_of("a.jpg", b"0123456789")]


def fill(_handle: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def fail(*_: Any) -> None:
    raise Unavailable("as if the process had died here")


def test_an_upload_ends_with_its_task(http: httpx.Client, server: Server, client: Client, task_id: int) -> None:
    dialog = opened(http, task_id, 5)
    client.tasks.retrieve(task_id).remove()
    assert dialog.patch(0, b"01234").status_code == 404


def test_abandoned_uploads_are_thrown_away(http: httpx.Client, server: Server, task_id: int) -> None:
    old, young = opened(http, task_id, 5), opened(http, task_id, 5)
    folder = server.settings.uploads / old.url.rpartition("/")[2]
    yesterday = time.time() - unfinished.KEPT_SECONDS - 60
    os.utime(folder / "offset", (yesterday, yesterday))
    assert create(http, task_id, 5).status_code == 201
    assert (old.head().status_code, young.head().status_code) == (404, 200)


def test_a_user_has_a_bounded_number_of_uploads(
    http: httpx.Client, task_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished, "MOST_OPEN", 2)
    assert [create(http, task_id, 5, f"{n}.jpg").status_code for n in range(3)] == [201, 201, 409]


def test_a_finished_task_takes_no_more(http: httpx.Client, client: Client, task_id: int, tmp_path: Path) -> None:
    dialog = opened(http, task_id, 5)
    client.tasks.retrieve(task_id).upload_data(write(tmp_path, ["b.jpg"]))
    assert create(http, task_id, 5, "c.jpg").status_code == 400
    assert dialog.patch(0, b"01234").status_code == 400
    assert dialog.head().status_code == 404
