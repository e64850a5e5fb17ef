"""Hostile forms, file names, pieces of files and questions for pictures: refused, and nothing has changed."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import httpx
import pytest

from .conftest import ADMIN, Server
from .hostile import JOB, TASK, assert_refused, attacking, quiet_server
from .pictures import noise
from .shared import last_change

PART = b'--b\r\nContent-Disposition: form-data; name="client_files[0]"; filename="a'


@pytest.fixture(scope="module")
def quiet(postgres: str) -> Iterator[Server]:
    with quiet_server(postgres) as server:
        yield server


@pytest.fixture
def attacker(quiet: Server) -> Iterator[httpx.Client]:
    with attacking(quiet) as client:
        yield client


DATA = f"/api/tasks/{TASK}/data"
MULTIPLE = {"Upload-Multiple": ""}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"no form at all"),
        ("multipart/form-data; boundary=b", b"--b\r\n"),
        ("multipart/form-data; boundary=b", PART),
        ("multipart/form-data; boundary=b", PART + b'.jpg"\r\n\r\ndata without end'),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n--b--\r\n"),
        ("multipart/form-data; boundary=" + "b" * 5_000, b"x"),
        ("text/plain", b"x"),
        ("application/json", b'{"client_files": "x"}'),
        ("application/x-www-form-urlencoded", b"client_files=x"),
        ("", b"x"),
    ],
)  # fmt: skip
def test_forms_that_are_none(attacker: httpx.Client, kind: str, body: bytes) -> None:
    answer = attacker.post(DATA, content=body, headers={**MULTIPLE, "Content-Type": kind})
    assert_refused(answer, (kind[:60], body[:60]))


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..", ".", "a/../../b.jpg", "..\\..\\b.jpg", "/../../b.jpg", "a/..", "/", "\\", " ",
     "x" * 300 + ".jpg"],
)  # fmt: skip
def test_names_that_lead_elsewhere(attacker: httpx.Client, name: str) -> None:
    files = {"client_files[0]": (name, noise())}
    assert_refused(attacker.post(DATA, headers=MULTIPLE, files=files), name)
    tus = {"Tus-Resumable": "1.0.0", "Upload-Length": "5", "Upload-Metadata": _metadata(name)}
    assert_refused(attacker.post(f"{DATA}/", headers=tus), name)


def _metadata(name: str) -> str:
    return f"filename {base64.b64encode(name.encode()).decode()}"


def test_more_files_than_a_form_may_have(attacker: httpx.Client, quiet: Server) -> None:
    files = {f"client_files[{n}]": (f"{n}.jpg", b"x") for n in range(quiet.settings.max_files_per_form + 1)}
    assert len(files) == 10_001
    assert_refused(attacker.post(DATA, headers=MULTIPLE, files=files), "files")
    assert {path.name for path in quiet.settings.blobs.rglob("*") if path.is_file()} <= {"lock", "owner"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Upload-Length": ""},
        {"Upload-Length": "-1"},
        {"Upload-Length": "9" * 400},
        {"Upload-Length": "x"},
        {"Upload-Length": "5", "Upload-Metadata": "filename !!!"},
        {"Upload-Length": "5", "Upload-Metadata": "filename /////w=="},
        {"Upload-Length": "5", "Upload-Metadata": ""},
        {"Upload-Length": str(2**62), "Upload-Metadata": _metadata("a.jpg")},
    ],
)
def test_uploads_that_cannot_begin(attacker: httpx.Client, headers: dict[str, str]) -> None:
    answer = attacker.post(f"{DATA}/", headers={"Tus-Resumable": "1.0.0", **headers})
    assert 400 <= answer.status_code < 500, (headers, answer.text)


@pytest.mark.parametrize("upload_id", ["x", "..%2F..%2Fetc", "%00", "a" * 5_000, "' OR 1=1"])
def test_uploads_that_are_not_there(attacker: httpx.Client, upload_id: str) -> None:
    kind = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    for path in (f"{DATA}/{upload_id}", f"/api/jobs/{JOB}/annotations/{upload_id}"):
        assert_refused(attacker.patch(path, content=b"x", headers=kind), path[:80])
        assert attacker.head(path, headers=kind).status_code == 404


def test_wrong_offsets(quiet: Server) -> None:
    with httpx.Client(base_url=quiet.url, auth=ADMIN, timeout=60) as http:
        start = {"Tus-Resumable": "1.0.0", "Upload-Length": "10", "Upload-Metadata": _metadata("offset.jpg")}
        location = http.post(f"{DATA}/", headers=start).headers["location"]
        before = last_change(quiet)
        kind = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
        for offset in ("1", "-1", "x", "", "9" * 400, "1.5", "11", str(2**63)):
            answer = http.patch(location, content=b"12345", headers={**kind, "Upload-Offset": offset})
            assert 400 <= answer.status_code < 500, (offset, answer.text)
        assert http.patch(location, content=b"1" * 11, headers={**kind, "Upload-Offset": "0"}).status_code == 413
        assert http.head(location, headers={"Tus-Resumable": "1.0.0"}).headers["upload-offset"] == "0"
        assert last_change(quiet) == before


MEDIA = f"/api/jobs/{JOB}/data"


@pytest.mark.parametrize(
    "query",
    [
        {"type": "../../etc/passwd"}, {"type": "frame", "number": "9" * 400}, {"type": "frame", "number": "-1"},
        {"type": "chunk", "number": "NaN"}, {"type": "chunk", "index": "1e9"}, {"type": "chunk", "number": "\0"},
        {"type": "frame", "number": "0", "quality": "'; --"}, {"type": "chunk"}, {},
        {"type": "frame", "index": "0"}, {"type": "context_image", "index": "0"},
    ],
)  # fmt: skip
def test_questions_for_pictures_that_are_none(attacker: httpx.Client, query: dict[str, str]) -> None:
    assert_refused(attacker.get(MEDIA, params=query), query)
