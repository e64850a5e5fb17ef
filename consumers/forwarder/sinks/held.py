"""What an archive holds already behind the place where another way of feeding it begins: forwarders of the way before
were ahead of what is known of them, or were killed before they could tell. Those events are not written again.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
import zstandard

from consumers.forwarder.proof.inventory import EVERYTHING
from domain.errors import Unavailable

NAME = ".held.json"
"""Of the file that says so, in the archive's folder. Programs that read all of a folder pass over such names."""

HIGHEST = re.compile(r"-\d{12,}-\d{12,}-(\d{12,})\.")
"""Where a file's name says the highest position in it."""


@dataclass(frozen=True)
class Held:
    """Runs of positions, from the first to the last of each, in order."""

    runs: Sequence[tuple[int, int]] = ()

    @classmethod
    def of(cls, positions: Iterable[int]) -> Held:
        runs: list[tuple[int, int]] = []
        for position in sorted(set(positions)):
            if runs and runs[-1][1] == position - 1:
                runs[-1] = (runs[-1][0], position)
            else:
                runs.append((position, position))
        return cls(tuple(runs))

    @classmethod
    def read(cls, folder: Path) -> Held:
        """Nothing when there is no such file. Raises OSError."""
        try:
            content = (folder / NAME).read_bytes()
        except FileNotFoundError:
            return cls()
        return cls(tuple((first, last) for first, last in orjson.loads(content)))

    def content(self) -> bytes:
        return orjson.dumps(self.runs)

    def __contains__(self, position: int) -> bool:
        at = bisect_right(self.runs, (position, position))
        return (at > 0 and self.runs[at - 1][1] >= position) or (at < len(self.runs) and self.runs[at][0] == position)


def held_behind(files: Iterable[Path], after: int, until: int = EVERYTHING) -> Held:
    """By what the files hold of `after` < position <= `until`. Raises Unavailable for one that can't be read."""
    return Held.of(position for file in files for position in _positions(file, after) if after < position <= until)


def _positions(file: Path, after: int) -> Sequence[int]:
    highest = HIGHEST.search(file.name)
    if highest is not None and int(highest[1]) <= after:
        return ()
    try:
        return list(_of_parquet(file) if file.suffix == ".parquet" else _of_json_lines(file))
    except Exception as error:  # whatever is wrong with it, what it holds is not known
        raise Unavailable(f"The archive's file {file} can't be read: {type(error).__name__}: {error}") from error


def _of_json_lines(file: Path) -> Iterator[int]:
    content = zstandard.ZstdDecompressor().decompressobj().decompress(file.read_bytes())
    return (orjson.loads(line)["position"] for line in content.splitlines())


def _of_parquet(file: Path) -> Iterator[int]:
    import pyarrow.parquet as pq  # a library that only who needs it has

    positions: list[int] = pq.read_table(file, columns=["position"])["position"].to_pylist()
    return iter(positions)
