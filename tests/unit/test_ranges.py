"""Which part of a file a `Range` header asks for (RFC 9110)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from api.files import Part, wanted_part

sizes = st.integers(0, 50)


def part(size: int, text: str | None, **others: str) -> Part:
    given_headers = ({} if text is None else {"range": text}) | {k.replace("_", "-"): v for k, v in others.items()}
    headers = [(name.encode(), value.encode()) for name, value in given_headers.items()]
    return wanted_part(Request({"type": "http", "headers": headers}), size)


@given(size=sizes, first=st.integers(0, 60), last=st.integers(0, 60))
def test_from_first_to_last(size: int, first: int, last: int) -> None:
    found = part(size, f"bytes={first}-{last}")
    if last < first:
        assert found.whole
    else:
        assert list(range(size))[found.start : found.end] == [n for n in range(size) if first <= n <= last]
        assert found.satisfiable == (first < size)


@given(size=sizes, first=st.integers(0, 60))
def test_from_first_on(size: int, first: int) -> None:
    found = part(size, f"bytes={first}-")
    assert list(range(size))[found.start : found.end] == list(range(size))[first:]
    assert (found.whole, found.satisfiable) == (False, first < size)


@given(size=sizes, count=st.integers(0, 60))
def test_the_last_bytes(size: int, count: int) -> None:
    found = part(size, f"bytes=-{count}")
    assert found.end - found.start == min(count, size)
    assert found.satisfiable == (count > 0 and size > 0)


@pytest.mark.parametrize("text", [None, "", "bytes", "bytes=-", "bytes=1-2,4-5", "lines=1-2", "bytes=5-2", "bytes=a-b"])
def test_anything_else_gets_the_whole(text: str | None) -> None:
    assert part(10, text) == Part(0, 10, 10)


def test_a_range_of_another_version_gets_the_whole() -> None:
    assert part(10, "bytes=0-1", if_range='"a"') == Part(0, 10, 10)
