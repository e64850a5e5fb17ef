"""Batches of records are read as the library writes and reads them."""

from __future__ import annotations

import random
import struct
from typing import Any

import lz4.frame
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

from infra.kafka.records import HEADER, LARGE, Record, RecordBatch, records

NONE, GZIP, LZ4 = 0, 1, 3
HEADERS = st.lists(st.tuples(st.text(max_size=9), st.none() | st.binary(max_size=200)), max_size=3)
RECORDS = st.lists(
    st.tuples(st.integers(0, 2**40), st.none() | st.binary(max_size=9), st.none() | st.binary(max_size=200), HEADERS),
    min_size=1,
    max_size=20,
)


def built(contents: list[Any], codec: int = LZ4, first: int = 0) -> bytes:
    """A batch whose first record has this offset, as a broker stores it."""
    builder = DefaultRecordBatchBuilder(2, codec, True, 7, 0, 0, 2**30)
    for offset, (timestamp, key, value, headers) in enumerate(contents):
        builder.append(offset, timestamp, key, value, headers)
    data = bytearray(builder.build())
    data[:8] = first.to_bytes(8, "big")
    return bytes(data)


@given(RECORDS, st.sampled_from([NONE, GZIP, LZ4]), st.integers(0, 2**40))
def test_what_the_library_writes_is_read_as_the_library_reads_it(contents: list[Any], codec: int, first: int) -> None:
    data = built(contents, codec, first)
    found = list(records(data))
    expected = list(DefaultRecordBatch(data))
    assert [one[:3] for one in found] == [(one.offset, one.timestamp, one.value) for one in expected]
    for one, other in zip(found, expected, strict=True):
        first_of_each = dict(reversed(other.headers))
        assert {name: one.header(name) for name in first_of_each} == first_of_each
        assert one.header("no such header") is None


@given(RECORDS, st.integers(0, 2**40))
def test_a_batch_tells_its_offsets_and_how_much_it_unpacks_to(contents: list[Any], first: int) -> None:
    batch = RecordBatch.of(built(contents, LZ4, first))
    assert (batch.first, batch.last, batch.number) == (first, first + len(contents) - 1, len(contents))
    unpacked = len(built(contents, NONE)) - HEADER.size
    assert batch.unpacked_size == max(len(batch.data), unpacked)


def test_the_time_of_a_batch_may_be_the_brokers() -> None:
    data = bytearray(built([(5, None, b"a", []), (9, None, b"b", [])]))
    data[22] |= 0b1000  # the attributes' lower byte
    assert [record.timestamp for record in records(bytes(data))] == [9, 9]


@pytest.mark.parametrize("data", [b"", b"x" * HEADER.size, built([(1, None, b"value", [])], NONE)[:-3]])
def test_a_damaged_batch_is_an_error(data: bytes) -> None:
    with pytest.raises((ValueError, IndexError, struct.error)):
        list(records(data))


def test_a_record_without_headers_has_none() -> None:
    assert Record(1, 2, b"", b"\0").header("position") is None


LARGE_VALUE = random.Random(1).randbytes(LARGE) + bytes(2 * LARGE)


def test_a_large_record_is_the_same() -> None:
    (record,) = records(built([(5, b"key", LARGE_VALUE, [("position", b"7")])]))
    assert record.value == LARGE_VALUE
    assert isinstance(record.value, memoryview)  # of the batch
    assert (record.header("position"), record.timestamp) == (b"7", 5)


@pytest.mark.parametrize("size", [LARGE, 4 * LARGE, 2**40])
def test_a_large_batch_that_is_not_as_large_as_it_says_is_an_error(size: int) -> None:
    data = built([(5, None, LARGE_VALUE, [])])
    honest = lz4.frame.get_frame_info(data[HEADER.size :])["content_size"].to_bytes(8, "little")
    assert data.count(honest) == 1
    with pytest.raises((ValueError, RuntimeError)):
        list(records(data.replace(honest, size.to_bytes(8, "little"))))


def test_a_large_batch_that_is_cut_off_is_an_error() -> None:
    with pytest.raises((ValueError, RuntimeError)):
        list(records(built([(5, None, LARGE_VALUE, [])])[:-LARGE]))
