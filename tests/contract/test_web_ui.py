"""A built web UI served from a folder, on the same origin as the API."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from .conftest import ADMIN, Server
from .shared import running

PAGE = b"<!doctype html><script src=/assets/cvat-ui.0f3ba2ce1d99.min.js></script>"
SCRIPT = b"console.log(1);" * 1_000
SECRET = b"not for the world"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like the one that building CVAT's UI leaves, with a secret beside it."""
    parent = tmp_path_factory.mktemp("ui")
    (parent / "secret").write_bytes(SECRET)
    folder = parent / "built"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(PAGE)
    (folder / "favicon.ico").write_bytes(b"icon")
    (folder / "link").symlink_to(parent / "secret")
    for name, content in {
        "cvat-ui.0f3ba2ce1d99.min.js": SCRIPT, "ort.mjs": b"export {}", "ort-wasm.8d1f0a2b.wasm": b"\0asm",
        "style.css": b"a{}",
    }.items():  # fmt: skip
        (folder / "assets" / name).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def host(postgres: str, built: Path) -> Iterator[Server]:
    with running(postgres, ui=built) as server:
        yield server


@pytest.fixture
def browser(host: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=host.url, timeout=60) as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/tasks", "/tasks/5/jobs/7", "/auth/login?next=/tasks", "//", "/%00"]
)
def test_every_path_of_the_ui_is_its_page(browser: httpx.Client, path: str) -> None:
    answer = browser.get(path)
    assert (answer.status_code, answer.content) == (200, PAGE)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-embedder-policy"] == "credentialless"


@pytest.mark.parametrize(
    ("path", "kind", "for_ever"),
    [
        ("/assets/cvat-ui.0f3ba2ce1d99.min.js", "text/javascript", True),
        ("/assets/ort-wasm.8d1f0a2b.wasm", "application/wasm", True),
        ("/assets/ort.mjs", "text/javascript", False),
        ("/assets/style.css", "text/css; charset=utf-8", False),
    ],
)
def test_assets_have_the_types_that_browsers_insist_on(
    browser: httpx.Client, path: str, kind: str, for_ever: bool
) -> None:
    answer = browser.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.headers["cross-origin-embedder-policy"] == "require-corp"
    assert answer.headers["cache-control"] == ("public, max-age=31536000, immutable" if for_ever else "no-cache")


def test_a_file_outside_of_assets_is_only_a_file(browser: httpx.Client) -> None:
    answer = browser.get("/favicon.ico")
    assert (answer.content, answer.headers["cache-control"]) == (b"icon", "no-cache")
    assert "cross-origin-embedder-policy" not in answer.headers


def test_an_asset_that_is_not_there_is_not_the_page(browser: httpx.Client) -> None:
    answer = browser.get("/assets/old.js")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})


def test_head_range_and_what_the_browser_has_already(browser: httpx.Client) -> None:
    path = "/assets/cvat-ui.0f3ba2ce1d99.min.js"
    whole = browser.get(path)
    head = browser.head(path)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(SCRIPT)))
    part = browser.get(path, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, SCRIPT[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(SCRIPT)}"
    for known in (path, "/tasks"):
        again = browser.get(known, headers={"If-None-Match": browser.get(known).headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    assert whole.content == SCRIPT


@pytest.mark.parametrize(
    "path",
    ["/../secret", "/assets/../../secret", "/%2e%2e/secret", "/..%2fsecret", "/assets/..%2f..%2fsecret", "/link",
     "//etc/passwd", "/%2fetc%2fpasswd", "/..\\secret", "/assets/" + "../" * 30 + "etc/passwd"],
)  # fmt: skip
def test_nothing_else_is_to_be_had(host: Server, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=60)  # which leaves paths as they are
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert (answer.status, body) == (200, PAGE) or answer.status == 404
    assert SECRET not in body
    assert b"root:" not in body


@pytest.mark.parametrize("path", ["/api/nothing", "/api", "/api/tasks/x", "/static/x", "/admin", "/analytics"])
def test_paths_of_the_server_stay_its_own(browser: httpx.Client, path: str) -> None:
    answer = browser.get(path, auth=ADMIN)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})


def test_the_api_answers_beside_it(browser: httpx.Client) -> None:
    assert browser.get("/api/server/about").json()["name"] == "Annals"
    assert browser.get("/static/logo.svg").headers["content-type"] == "image/svg+xml"
    assert browser.delete("/api/tasks", auth=ADMIN).status_code == 405
    assert browser.get("/metrics", auth=ADMIN).status_code == 200
    assert b"<title>Annals dashboard</title>" in browser.get("/dashboard").content


def test_the_page_is_only_read(browser: httpx.Client) -> None:
    answer = browser.post("/tasks", json={})
    assert (answer.status_code, answer.json()) == (405, {"detail": 'Method "POST" not allowed.'})


def test_a_new_ui_in_the_folder_is_served_at_once(browser: httpx.Client, built: Path) -> None:
    (built / "index.html").write_bytes(b"the next release")
    try:
        assert browser.get("/tasks").content == b"the next release"
    finally:
        (built / "index.html").write_bytes(PAGE)
