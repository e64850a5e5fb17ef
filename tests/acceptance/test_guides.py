"""The guides of docs/how-to, word by word."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import REPOSITORY, Served
from .guides import Reader

NEW = {"rebuild-a-projection.md": 4, "look-at-the-past.md": 6}
"""Guide → how many blocks somebody types. What these print is so on a new server only."""

USED = {"restore-lost-annotations.md": 9, "let-people-and-scripts-in.md": 5, "prove-that-nothing-is-lost.md": 4}
"""Those that follow each other on one server."""


@pytest.fixture(scope="module")
def used(serve_shared: Callable[..., Served]) -> Served:
    return serve_shared().ready()


@pytest.mark.parametrize("guide", NEW)
def test_the_guide_works_as_written(serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch, guide: str) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert Reader(serve().ready()).follow(guide) == NEW[guide]


@pytest.mark.parametrize("guide", USED)
def test_the_guide_works_behind_others(used: Served, monkeypatch: pytest.MonkeyPatch, guide: str) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert Reader(used).follow(guide) == USED[guide]
