"""Archives are read within bounds, whatever is in them."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import MediaError
from infra.archives import open_archive

from ..contract.test_archives import pack

FILES = {"a.jpg": b"first", "b/c.jpg": bytes(3_000), "b/d.txt": b"second" * 100}
KINDS = ["x.zip", "x.tar", "x.tar.gz"]
GIB = 1 << 30


def read(path: Path, max_files: int = 100, max_bytes: int = GIB) -> dict[str, bytes]:
    with open_archive(path, path.name, max_files, max_bytes) as archive:
        return {name: b"".join(pieces) for name, pieces in archive.read(archive.names)}


@pytest.mark.parametrize("kind", KINDS)
def test_what_went_in_comes_out(tmp_path: Path, kind: str) -> None:
    assert read(pack(tmp_path / kind, FILES)) == FILES


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_is_wanted_is_read(tmp_path: Path, kind: str) -> None:
    with open_archive(pack(tmp_path / kind, FILES), kind, 100, GIB) as archive:
        assert archive.names == list(FILES)
        assert [(name, b"".join(pieces)) for name, pieces in archive.read({"b/d.txt", "a.jpg", "z"})] == [
            ("a.jpg", FILES["a.jpg"]),
            ("b/d.txt", FILES["b/d.txt"]),
        ]


@pytest.mark.parametrize("kind", KINDS)
def test_any_change_is_refused_or_harmless(tmp_path: Path, kind: str) -> None:
    path = pack(tmp_path / kind, FILES)
    content = path.read_bytes()
    changes = st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), min_size=1, max_size=8)

    @settings(max_examples=200, deadline=None)
    @given(changes=changes, end=st.integers(0, len(content)) | st.just(len(content)))
    def check(changes: list[tuple[int, int]], end: int) -> None:
        damaged = bytearray(content)
        for position, value in changes:
            damaged[position] = value
        path.write_bytes(damaged[:end])
        try:
            read(path)
        except MediaError as error:
            assert error.message.startswith(kind)  # noqa: PT017

    check()


@pytest.mark.parametrize("kind", ["x.zip", "x.tar.gz"])
def test_a_small_archive_does_not_unpack_to_a_large_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("infra.archives.members.UNQUESTIONED", 1_000_000)
    path = pack(tmp_path / kind, {"zeros.bmp": bytes(5_000_000)})
    with pytest.raises(MediaError, match="unpacks to more than"):
        read(path)


def test_a_size_that_is_a_lie_is_of_no_use(tmp_path: Path) -> None:
    """What is announced counts, and no more than that is unpacked."""
    path = pack(tmp_path / "x.zip", {"zeros.bmp": bytes(5_000_000)})
    content = path.read_bytes().replace((5_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.write_bytes(content)
    with pytest.raises(MediaError, match=r"x\.zip: zeros\.bmp is damaged"):
        read(path, max_bytes=1_000)


def test_a_header_of_any_length_does_not_fill_memory(tmp_path: Path) -> None:
    member = tarfile.TarInfo("long")
    member.type, member.size = tarfile.XHDTYPE, GIB
    path = tmp_path / "x.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as out:
        out.write(member.tobuf(tarfile.GNU_FORMAT))
        for _ in range(8):
            out.write(bytes(1 << 20))
    with pytest.raises(MediaError, match="has a header of a length that is out of all proportion"):
        read(path)


def test_files_with_a_password_are_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.zip", {"a.jpg": b"secret"})
    content = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + flags] |= 1
    path.write_bytes(content)
    with pytest.raises(MediaError, match=r"x\.zip: a\.jpg is protected by a password"):
        read(path)


def test_devices_and_folders_are_no_files(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as tar:
        for name, kind in (("folder", tarfile.DIRTYPE), ("pipe.jpg", tarfile.FIFOTYPE), ("disk.jpg", tarfile.BLKTYPE)):
            member = tarfile.TarInfo(name)
            member.type = kind
            tar.addfile(member)
        member = tarfile.TarInfo("./folder/a.jpg")
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    assert read(path) == {"folder/a.jpg": b"x"}
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("folder/", b"")
    assert read(tmp_path / "x.zip") == {}
