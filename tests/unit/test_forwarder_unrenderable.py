"""A file never waits for an event that it can't hold: that one becomes a dead letter, the others are written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from consumers.forwarder.batch import Batch
from consumers.forwarder.rows import COLUMNS, TableRow
from consumers.forwarder.sinks.files import FileSink, Format
from consumers.forwarder.sinks.refusals import rendered
from consumers.forwarder.sources.delivery import Span

DURATION, POSITION, PAYLOAD = (list(COLUMNS).index(name) for name in ("duration", "position", "payload"))
NOVEMBER = datetime(2026, 11, 20, tzinfo=UTC)


def row(position: int, duration: int = 5, payload: str = "{}") -> TableRow:
    texts = dict.fromkeys(("scope", "source", "stream", "event_type"), "x")
    numbers = dict.fromkeys(("timestamp", "row", "rows", "version", "schema_version"), 1)
    told = {"duration": duration, "payload": payload, "position": position}
    return tuple((dict.fromkeys(COLUMNS) | texts | numbers | told).values())


def batch(rows: list[TableRow]) -> Batch:
    return Batch(Span("log", 0, 9), NOVEMBER, (2026, 11), rows=rows, events=9)


def parquet(folder: Path) -> list[int]:
    return [
        position
        for file in folder.rglob("*.parquet")
        for position in pytest.importorskip("pyarrow.parquet").read_table(file)["position"].to_pylist()
    ]


def lines(folder: Path) -> list[int]:
    return [
        orjson.loads(line)["position"]
        for file in folder.rglob("*.zst")
        for line in zstandard.ZstdDecompressor().stream_reader(file.read_bytes()).read().splitlines()
    ]


READ = {"parquet": parquet, "jsonl": lines}
BAD: dict[Format, TableRow] = {"parquet": row(4, duration=2**33), "jsonl": row(4, payload="\ud800")}
REASONS = {"parquet": "ValueError: A value of duration can't be written", "jsonl": "TypeError: "}


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_what_has_no_form_is_a_dead_letter_and_the_rest_is_written(tmp_path: Path, form: Format) -> None:
    pytest.importorskip("pyarrow")
    rows = [row(1), row(2), row(4), BAD[form], row(4), row(7)]
    sink = FileSink(tmp_path, form)
    (letter,) = sink.insert(batch(rows), "a token")
    assert (letter.position, letter.stage) == (4, "insert")
    assert letter.error.startswith(REASONS[form])
    assert READ[form](tmp_path) == [1, 2, 7]
    (file,) = (file for file in tmp_path.rglob("*") if file.is_file())
    content = file.read_bytes()
    assert [again.position for again in sink.insert(batch(rows), "a token")] == [4]
    assert file.read_bytes() == content


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_where_nothing_has_a_form_there_is_no_file(tmp_path: Path, form: Format) -> None:
    pytest.importorskip("pyarrow")
    assert [letter.position for letter in FileSink(tmp_path, form).insert(batch([BAD[form]]), "a token")] == [4]
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans()), min_size=1, max_size=40))
def test_whichever_are_bad_they_are_found_and_nothing_else(events: list[tuple[int, bool]]) -> None:
    rows = [row(n, duration=-bad) for n, (number, bad) in enumerate(events) for _ in range(number)]

    def render(some: Sequence[TableRow]) -> bytes:
        return bytes(_positive(some))

    content, dead = rendered(rows, render)
    assert [letter.position for letter in dead] == [n for n, (_, bad) in enumerate(events) if bad]
    assert list(content) == [n for n, (number, bad) in enumerate(events) if not bad for _ in range(number)]


def _positive(rows: Sequence[TableRow]) -> Iterator[int]:
    for each in rows:
        if each[DURATION] < 0:
            raise OverflowError
        yield each[POSITION]
