"""What a blob store's URL may say, and that no credentials get into it or out of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.errors import Invalid, Unavailable
from infra.blobs.s3.credentials import credentials_file
from infra.blobs.s3.location import Location, parse_location


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("s3://media", Location("media", "", None, None)),
        ("s3://media/", Location("media", "", None, None)),
        ("s3://media/a/b.c/", Location("media", "a/b.c", None, None)),
        ("s3://media?region=eu-central-1", Location("media", "", None, "eu-central-1")),
        ("s3://my.media/x?endpoint=http://10.0.0.1:9000/", Location("my.media", "x", "http://10.0.0.1:9000", None)),
        ("s3://media?endpoint=https%3A%2F%2Fs3.local", Location("media", "", "https://s3.local", None)),
    ],
)
def test_a_url_is_understood(url: str, location: Location) -> None:
    assert parse_location(url) == location


@pytest.mark.parametrize(
    "url",
    [
        "",
        "media",
        "https://media",
        "s3:///media",
        "s3://UPPER",
        "s3://media/../other",
        "s3://media/a b",
        "s3://media#x",
        "s3://media?endpoint=",
        "s3://media?endpoint=s3.local",
        "s3://media?endpoint=ftp://s3.local",
        "s3://media?endpoint=https://s3.local/path",
        "s3://media?endpoint=https://s3.local:port",
        "s3://media?verify=false",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        parse_location(url)


@pytest.mark.parametrize("url", ["s3://key:secret@media", "s3://media?endpoint=https://key:secret@s3.local"])
def test_credentials_in_a_url_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_location(url)
    assert "secret" not in str(caught.value.detail)


@pytest.mark.parametrize("prefix", ["", "a/b"])
def test_a_folder_is_below_the_prefix(prefix: str) -> None:
    assert parse_location(f"s3://media/{prefix}").below("blobs").prefix == f"{prefix}/blobs".lstrip("/")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    path.write_text(
        "[default]\naws_access_key_id = one\naws_secret_access_key = a%b\n[other]\naws_access_key_id = two\n"
    )
    return path


def test_credentials_come_from_the_file_that_aws_tools_read(file: Path) -> None:
    found = credentials_file()
    assert found is not None
    first = found()
    assert (first["access_key_id"], first["secret_access_key"], first["token"]) == ("one", "a%b", None)
    file.write_text("[default]\naws_access_key_id=two\naws_secret_access_key=y\naws_session_token=z\n")
    again = found()
    assert (again["access_key_id"], again["token"]) == ("two", "z"), "a file that was replaced counts"
    assert again["expires_at"] is not None
    assert again["expires_at"] > datetime.now(UTC)


def test_a_profile_without_a_secret_is_told_without_what_is_in_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "other")
    found = credentials_file()
    assert found is not None
    with pytest.raises(Unavailable, match="profile other") as caught:
        found()
    assert "two" not in caught.value.message


def test_the_environment_comes_first_and_without_a_file_others_are_asked(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    assert credentials_file() is None
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SHARED_CREDENTIALS_FILE")
    monkeypatch.setenv("HOME", str(file.parent))
    assert credentials_file() is None


def test_a_file_that_is_named_must_be_there(file: Path) -> None:
    file.unlink()
    found = credentials_file()
    assert found is not None
    with pytest.raises(Unavailable, match="can be read from"):
        found()
