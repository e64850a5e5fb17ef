"""Client file names become safe base names."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.file_names import MAX_BYTES, normal_name, safe_name


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("im0.jpg", "im0.jpg"),
        ("/home/me/x/im0.jpg", "im0.jpg"),
        ("C:\\Users\\me\\im0.jpg", "im0.jpg"),
        ("\\\\server\\share\\im0.jpg", "im0.jpg"),
        ("./im0.jpg", "im0.jpg"),
        ("a/./b//im0.jpg", "im0.jpg"),
        (".hidden.png", ".hidden.png"),
        ("...", "..."),
        ("..jpg", "..jpg"),
        ("two words & more.jpg", "two words & more.jpg"),
        (" leading and trailing .jpg ", " leading and trailing .jpg "),
        ("Screenshot 9.41\u202fAM.png", "Screenshot 9.41\u202fAM.png"),
        ("line\nbreak\x00\x1b[31m\x7f.jpg", "linebreak[31m.jpg"),
        ("half\ud83d.jpg", "half.jpg"),
        ("e\u0301te\u0301.jpg", "\u00e9t\u00e9.jpg"),
        ("豆\U0001f431.jpg", "豆\U0001f431.jpg"),
        ("%2e%2e%2fetc", "%2e%2e%2fetc"),
    ],
)
def test_a_base_name_remains(filename: str, name: str) -> None:
    assert safe_name(filename) == name


@pytest.mark.parametrize(
    "filename",
    ["..", ".", "a/..", "../../etc/passwd", "..\\..\\boot.ini", "/a/../b.jpg", "a/.. /b.jpg", ".\x00./b.jpg", " . "],
)
def test_leaving_the_folder_is_refused(filename: str) -> None:
    with pytest.raises(Invalid) as refusal:
        safe_name(filename)
    (message,) = refusal.value.detail["client_files"]
    assert message.endswith("is not safe.")


@pytest.mark.parametrize("filename", ["", "/", "folder/", "C:\\", "   ", "\x00\n", "a/ "])
def test_no_name_is_refused(filename: str) -> None:
    with pytest.raises(Invalid, match="is not the name of a file"):
        safe_name(filename)


def test_the_length_limit_counts_bytes() -> None:
    assert safe_name("/folder/" + "x" * MAX_BYTES) == "x" * MAX_BYTES
    with pytest.raises(Invalid, match="is longer than 255 bytes"):
        safe_name("x" * (MAX_BYTES + 1))
    with pytest.raises(Invalid, match="is longer than 255 bytes"):
        safe_name("豆" * 86)
    assert safe_name("e\u0301" * 127) == "\u00e9" * 127


def test_the_message_is_under_the_given_field_and_short() -> None:
    with pytest.raises(Invalid) as refusal:
        safe_name("/" + "y" * 100_000, field="Upload-Metadata")
    (message,) = refusal.value.detail["Upload-Metadata"]
    assert len(message) < 150


@given(st.text(st.characters(), max_size=60) | st.text("./\\ a\x00", max_size=20))
def test_whatever_comes_in_the_name_is_safe_and_stays_so(filename: str) -> None:
    try:
        name = safe_name(filename)
    except Invalid:
        return
    assert name.strip() not in ("", ".", "..")
    assert not set(name) & set("/\\\x00\n")
    assert 0 < len(name.encode()) <= MAX_BYTES
    assert unicodedata.is_normalized("NFC", name)
    assert safe_name(name) == name


@given(st.text(max_size=40))
def test_normal_names_of_equal_texts_are_equal(name: str) -> None:
    assert normal_name(unicodedata.normalize("NFD", name)) == normal_name(unicodedata.normalize("NFC", name))
