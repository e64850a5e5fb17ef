"""What an archive holds is told exactly, by as few files as can be."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from consumers.forwarder.sinks.held import NAME, Held, held_behind
from domain.errors import Unavailable


@given(st.sets(st.integers(1, 60)))
def test_runs_hold_what_they_are_made_of_and_nothing_else(positions: set[int]) -> None:
    held = Held.of(positions)
    assert {position for position in range(62) if position in held} == positions
    assert all(first <= last for first, last in held.runs)
    assert all(later[0] > earlier[1] + 1 for earlier, later in zip(held.runs, held.runs[1:], strict=False))


@given(st.sets(st.integers(1, 60)))
def test_what_is_kept_is_read_again(tmp_path_factory: pytest.TempPathFactory, positions: set[int]) -> None:
    folder = tmp_path_factory.mktemp("archive")
    assert Held.read(folder) == Held()
    (folder / NAME).write_bytes(Held.of(positions).content())
    assert Held.read(folder) == Held.of(positions)


def written(folder: Path, name: str, positions: list[int]) -> Path:
    file = folder / name
    lines = b"".join(orjson.dumps({"position": n, "row": 0}) + b"\n" for n in positions)
    file.write_bytes(zstandard.ZstdCompressor().compress(lines))
    return file


def test_only_files_that_may_hold_more_are_opened(tmp_path: Path) -> None:
    old = tmp_path / "annals.events-0-000000000001-000000000050-000000000090.jsonl.zst"
    old.write_text("damaged")
    new = written(tmp_path, "annals.events-0-000000000051-000000000060-000000000104.jsonl.zst", [89, 102, 104])
    without = written(tmp_path, "annals.events-1-000000000001-000000000050.jsonl.zst", [7, 103])
    assert held_behind([old, new, without], 90) == Held(((102, 104),))
    with pytest.raises(Unavailable, match=r"000090\.jsonl\.zst can.t be read"):
        held_behind([old], 89)
