"""Forms are read whole or not at all, however the network cuts them, and nothing that is refused stays on disk."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.uploads import forms
from api.uploads.forms import Form, FormReader
from domain.errors import Invalid
from infra.blobs import FileBlobs

BOUNDARY = b"----frontier"
TYPE = f"multipart/form-data; boundary={BOUNDARY.decode()}"


@pytest.fixture
def blobs(tmp_path: Path) -> FileBlobs:
    return FileBlobs(tmp_path)


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    file = "" if filename is None else f'; filename="{filename}"\r\nContent-Type: image/jpeg'
    header = f'--{BOUNDARY.decode()}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return header.encode() + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--" + BOUNDARY + b"--\r\n"


def read(blobs: FileBlobs, body: bytes, *, cuts: Iterator[int] | None = None, max_files: int = 100) -> Form:
    reader = FormReader(blobs, TYPE, max_files)
    try:
        while body:
            size = next(cuts) if cuts else len(body)
            reader.feed(body[:size])
            body = body[size:]
        return reader.finish()
    except BaseException:
        reader.abort()
        raise


def staged(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name not in ("owner", "lock")]


awkward = st.lists(
    st.sampled_from([b"\r\n--", b"\r", b"\n", b"-", BOUNDARY, b"\r\n--" + BOUNDARY[:-1], b"x", b"\0\xff"]), max_size=8
).map(b"".join)
whole_bodies = awkward.filter(lambda content: b"\r\n--" + BOUNDARY not in b"\r\n" + content)


@given(contents=st.lists(whole_bodies, max_size=5), cuts=st.lists(st.integers(1, 40), min_size=1))
def test_a_form_cut_anywhere_gives_the_same_files(contents: list[bytes], cuts: list[int]) -> None:
    body = form(
        part("image_quality", b"70"), *(part(f"client_files[{i}]", c, f"{i}.jpg") for i, c in enumerate(contents))
    )
    with tempfile.TemporaryDirectory() as folder:
        blobs = FileBlobs(Path(folder))
        found = read(blobs, body, cuts=(cut for _ in body for cut in cuts))
        stored = found.commit(blobs)
        assert found.fields == [("image_quality", "70")]
        assert [(f["name"], f["sha256"], f["size"]) for f in stored] == [
            (f"{i}.jpg", hashlib.sha256(c).hexdigest(), len(c)) for i, c in enumerate(contents)
        ]
        assert all(blobs.path(f["sha256"]).read_bytes() == c for f, c in zip(stored, contents, strict=True))


def test_files_come_in_the_order_of_their_indices(blobs: FileBlobs) -> None:
    body = form(*(part(f"client_files[{i}]", b"%d" % i, f"{i}.jpg") for i in (2, 10, 0, 1)))
    assert [file.name for file in read(blobs, body).files] == ["0.jpg", "1.jpg", "2.jpg", "10.jpg"]


def test_a_repeated_field_without_index_is_a_list_too(blobs: FileBlobs) -> None:
    body = form(*(part("client_files", b"", name) for name in ("b.jpg", "a.jpg")))
    assert [file.name for file in read(blobs, body).files] == ["b.jpg", "a.jpg"]


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("/home/me/photos/im 1.jpg", "im 1.jpg"),
        (r"C:\Users\me\im1.jpg", "im1.jpg"),
        ("grün%22.jpg", "grün%22.jpg"),
        ("/" + 300 * "long/" + "im.jpg", "im.jpg"),
    ],
)
def test_names_are_base_names(blobs: FileBlobs, filename: str, name: str) -> None:
    assert [file.name for file in read(blobs, form(part("client_files[0]", b"x", filename))).files] == [name]


@pytest.mark.parametrize("filename", ["", "..", "/home/me/..", "a\\..\\b.jpg", "/"])
def test_unsafe_names_are_refused(blobs: FileBlobs, tmp_path: Path, filename: str) -> None:
    with pytest.raises(Invalid, match="client_files"):
        read(blobs, form(part("client_files[0]", b"x", filename)))
    assert staged(tmp_path) == []


@pytest.mark.parametrize("length", range(1, 200, 7))
def test_a_truncated_form_leaves_nothing(blobs: FileBlobs, tmp_path: Path, length: int) -> None:
    body = form(part("client_files[0]", b"x" * 50, "a.jpg"))
    with pytest.raises(Invalid, match="ends in the middle"):
        read(blobs, body[: min(length, len(body) - len(BOUNDARY) - 7)])
    assert staged(tmp_path) == []


@pytest.mark.parametrize(
    "body",
    [
        b"no form at all",
        b"--other\r\n",
        part("client_files[0]", b"x", "a.jpg")[:20] + b"\x00: y\r\n\r\n",
        form(b"--" + BOUNDARY + b"\r\nContent-Type: text/plain\r\n\r\nx\r\n"),
        form(part("field", b"\xff")),
        form(part("video", b"x", "a.mp4")),
    ],
    ids=["text", "another boundary", "bad header", "no name", "not UTF-8", "file in another field"],
)
def test_malformed_forms_are_refused(blobs: FileBlobs, tmp_path: Path, body: bytes) -> None:
    with pytest.raises(Invalid):
        read(blobs, form(part("client_files[0]", b"first", "first.jpg"))[: -len(BOUNDARY) - 6] + body)
    assert staged(tmp_path) == []


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "multipart/form-data", "multipart/form-data; boundary="]
)
def test_only_forms_are_taken(blobs: FileBlobs, content_type: str) -> None:
    with pytest.raises(Invalid):
        FormReader(blobs, content_type, 10)


def test_too_many_files_are_refused(blobs: FileBlobs) -> None:
    parts = [part(f"client_files[{i}]", b"x", f"{i}.jpg") for i in range(4)]
    assert len(read(blobs, form(*parts), max_files=4).files) == 4
    with pytest.raises(Invalid, match="at most 3 files"):
        read(blobs, form(*parts), max_files=3)


def test_endless_fields_are_refused(blobs: FileBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "MAX_FIELD_BYTES", 10_000)
    with pytest.raises(Invalid, match="too long"):
        read(blobs, form(part("text", b"x" * 20_000)))
    with pytest.raises(Invalid, match="too long"):
        read(blobs, form(*(part(f"f{i}", b"") for i in range(1_000))))


def test_what_is_not_committed_goes(blobs: FileBlobs, tmp_path: Path) -> None:
    reader = FormReader(blobs, TYPE, 10)
    reader.feed(form(part("client_files[0]", b"x" * 100_000, "a.jpg")))
    [file] = reader.finish().files
    file.writer.close()
    assert len(staged(tmp_path)) == 1
    reader.abort()
    assert staged(tmp_path) == []
