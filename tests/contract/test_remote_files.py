"""Tasks made from files that are fetched from URLs."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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


class Web(BaseHTTPRequestHandler):
    """Photos and mischief. The last part of a path is a name; what is before it says what to do."""

    asked: list[str] = []

    def do_GET(self) -> None:
        Web.asked.append(self.path)
        action, _, name = self.path.strip("/").rpartition("/")
        if action.startswith("to"):
            self.send_response(302)
            self.send_header("Location", action.removeprefix("to/") + "/" + name if "//" in action else f"/{name}")
            self.end_headers()
        elif action == "round":
            self.answer(302, b"", {"Location": self.path})
        elif action == "short":
            self.answer(200, noise(), {"Content-Length": "1000000"})
        elif action == "slow":
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(b"x")
                time.sleep(0.05)
        elif action == "gone":
            self.answer(404, b"not here")
        else:
            self.answer(200, noise(seed=len(name)))

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Not to the console."""


@pytest.fixture
def web() -> Iterator[str]:
    """The URL of a web server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="test-web", daemon=True).start()
    Web.asked = []
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def settings(data_folder: Path) -> Settings:
    return Settings(data=data_folder, allow_private_addresses=True, request_hold_seconds=50)


def create(client: Client, urls: list[str]) -> Task:
    spec = models.TaskWriteRequest(name="remote", labels=[{"name": "thing"}])
    return client.tasks.create_from_data(
        spec=spec, resource_type=ResourceType.REMOTE, resources=urls, data_params={"image_quality": 70}
    )


def test_files_are_fetched(client: Client, web: str) -> None:
    task = create(client, [f"{web}/x/b%20c.jpg?size=1", f"{web}/aa.jpg", f"{web}/to/redirected.jpg"])
    assert [frame.name for frame in task.get_frames_info()] == ["aa.jpg", "b c.jpg", "redirected.jpg"]
    assert task.get_frame(0, quality="original").read() == noise(seed=len("aa.jpg"))
    assert "/x/b%20c.jpg?size=1" in Web.asked


def test_private_addresses_are_refused(client: Client, server: Server, web: str) -> None:
    server.settings.allow_private_addresses = False
    port = web.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost", "127.1", "[::ffff:127.0.0.1]", "0.0.0.0", "[::1]", "2130706433"):
        with pytest.raises(BackgroundRequestException, match=r"private network|does not answer|is not known"):
            create(client, [f"http://{host}:{port}/a.jpg"])
    assert Web.asked == []


def test_a_name_is_resolved_once(client: Client, server: Server, web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that first gives a public address, and then a private one, gains nothing."""
    server.settings.allow_private_addresses = False
    answers = iter(["192.0.2.1", "127.0.0.1", "127.0.0.1"])
    resolve = socket.getaddrinfo

    def changing(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        return resolve(next(answers) if host == "rebind.test" else host, port, *args, **kwargs)

    monkeypatch.setattr("socket.getaddrinfo", changing)
    with pytest.raises(BackgroundRequestException, match="Failed to download"):
        create(client, [web.replace("127.0.0.1", "rebind.test") + "/a.jpg"])
    assert Web.asked == []


def test_redirects_to_private_addresses_are_refused(
    client: Client, server: Server, web: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.settings.allow_private_addresses = False
    public = web.replace("127.0.0.1", "public.test")
    resolve = socket.getaddrinfo

    def resolved(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        return resolve("127.0.0.1" if host == "public.test" else host, port, *args, **kwargs)

    monkeypatch.setattr("socket.getaddrinfo", resolved)
    seen: list[Any] = []

    def is_public(address: Any) -> bool:
        seen.append(str(address))
        return len(seen) == 1

    monkeypatch.setattr("infra.http.addresses.is_public", is_public)
    with pytest.raises(BackgroundRequestException, match="private network"):
        create(client, [f"{public}/to/{web}/a.jpg"])
    assert len(Web.asked) == 1


def test_what_goes_wrong_is_said(client: Client, server: Server, web: str) -> None:
    for path, message in {
        "gone/a.jpg": "answers with status 404",
        "round/a.jpg": "leads on to other addresses more than 5 times",
        "short/a.jpg": "broke off after",
        "to/ftp://host/a.jpg": "not an http or https URL",
        "slow/a.jpg": r"takes longer than 0\.5 seconds|too slow",
    }.items():
        server.settings.remote_seconds = 0.5 if path.startswith("slow") else 60.0
        with pytest.raises(BackgroundRequestException, match=rf"Failed to download {web}/{path}: .*({message})"):
            create(client, [f"{web}/{path}"])


def test_an_address_must_prove_who_it_is(client: Client, web: str) -> None:
    with pytest.raises(BackgroundRequestException, match=r"does not prove that it is who it says \(TLS\)"):
        create(client, [f"{web}/a.jpg".replace("http:", "https:")])


def test_sizes_and_numbers_are_bounded(client: Client, server: Server, web: str) -> None:
    server.settings.max_upload_bytes = 3_000
    with pytest.raises(BackgroundRequestException, match="larger than"):
        create(client, [f"{web}/{number}.jpg" for number in range(9)])
    server.settings.max_remote_files = 2
    with pytest.raises(BackgroundRequestException, match="At most 2 files"):
        create(client, [f"{web}/{number}.jpg" for number in range(3)])


def test_names_must_differ(client: Client, web: str) -> None:
    with pytest.raises(BackgroundRequestException, match=r"same name: a\.jpg"):
        create(client, [f"{web}/x/a.jpg", f"{web}/y/a.jpg"])
    with pytest.raises(BackgroundRequestException, match="does not end with the name of a file"):
        create(client, [f"{web}/"])


def test_files_come_from_one_place(client: Client, http: httpx.Client, web: str) -> None:
    task = client.tasks.create(models.TaskWriteRequest(name="both", labels=[]))
    files = {"client_files[0]": ("a.jpg", noise())}
    options = {"image_quality": "70", "remote_files[0]": f"{web}/b.jpg"}
    answer = http.post(f"/api/tasks/{task.id}/data", data=options, files=files)
    request = http.get(f"/api/requests/{answer.json()['rq_id']}").json()
    assert (request["status"], "must come from one place" in request["message"]) == ("failed", True)


def test_a_video_is_fetched(client: Client, web: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = write_clip(tmp_path / "c.mp4", 3).read_bytes()
    monkeypatch.setattr(Web, "do_GET", lambda self: self.answer(200, content))
    assert create(client, [f"{web}/c.mp4"]).size == 3
