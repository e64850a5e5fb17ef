"""What may be given as the URL of a ClickHouse."""

from __future__ import annotations

import pytest
import typer

from cli.options import read_settings

GOOD = ["http://user:secret@clickhouse:8123", "https://clickhouse", "http://[::1]:8123/cvat?connect_timeout=3"]
WRONG = ["clickhouse:8123", "nonsense", "http://", "http://h:99999", "http://user:sec/ret@host:8123", "ftp://host:21"]


@pytest.mark.parametrize("name", ["clickhouse_url", "clickhouse_reader_url"])
@pytest.mark.parametrize("url", GOOD)
def test_urls(name: str, url: str) -> None:
    assert getattr(read_settings(None, **{name: url}), name) == url


@pytest.mark.parametrize("name", ["clickhouse_url", "clickhouse_reader_url"])
@pytest.mark.parametrize("url", WRONG)
def test_what_is_none_is_said_without_repeating_it(name: str, url: str) -> None:
    with pytest.raises(typer.BadParameter) as wrong:
        read_settings(None, **{name: url})
    assert wrong.value.message == (
        f"ANNALS_{name.upper()}: Value error, it should be http://user:password@host:port, or https://…"
    )
