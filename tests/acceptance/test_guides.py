"""The guides of docs/how-to, word by word."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import REPOSITORY, Served
from .guides import Reader

GUIDES = {
    "restore-lost-annotations.md": 9,
    "rebuild-a-projection.md": 4,
    "prove-that-nothing-is-lost.md": 4,
    "look-at-the-past.md": 6,
    "let-people-and-scripts-in.md": 5,
}
"""Guide → how many blocks somebody types."""


@pytest.mark.parametrize("guide", GUIDES)
def test_the_guide_works_as_written(serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch, guide: str) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert Reader(serve().ready()).follow(guide) == GUIDES[guide]
