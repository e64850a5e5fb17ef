"""Archives that exports write."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from domain.errors import MediaError
from infra.formats.zips import ZipWriter, is_zip, sent_zip


class Appended:
    """Can't be read, or gone back in."""

    def __init__(self) -> None:
        self.content = bytearray()

    def write(self, data: bytes) -> None:
        self.content += data


def test_what_is_written_as_a_stream_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_bytes(b"{}")
    sink = Appended()
    writer = ZipWriter(sink)
    writer.text("a.xml", ("ä" * 1000 for _ in range(1000)))
    writer.text("empty", [])
    writer.add("images/b.jpg", b"b")
    writer.copy("c.json", tmp_path / "c.json")
    writer.close()
    with zipfile.ZipFile(io.BytesIO(sink.content)) as archive:
        assert archive.testzip() is None
        assert archive.read("a.xml").decode() == "ä" * 1_000_000
        assert [archive.read(name) for name in archive.namelist()[1:]] == [b"", b"b", b"{}"]
    assert len(sink.content) < 10_000


def test_a_zip_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    zipfile.ZipFile(path, "w").close()
    assert is_zip(path)
    path.write_bytes(b"<annotations/>")
    assert not is_zip(path)


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "a/../../b", "..\\a", "C:\\a"])
def test_an_archive_with_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"")
    with (
        pytest.raises(MediaError, match=r"sent\.zip holds a file whose name leads out of it"),
        sent_zip(path, "sent.zip"),
    ):
        pass


def test_an_archive_that_unpacks_to_too_much_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"x")
    content = path.read_bytes()
    header = content.index(b"PK\x01\x02")
    path.write_bytes(content[: header + 24] + (2**31).to_bytes(4, "little") + content[header + 28 :])
    with pytest.raises(MediaError, match=r"sent\.zip unpacks to more than"), sent_zip(path, "sent.zip"):
        pass
