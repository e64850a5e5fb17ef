"""Native streams get what clients of revision 54454 and later expect, however they arrive in parts."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.clickhouse.errors import QueryFailed
from infra.clickhouse.native import NativeFraming
from infra.clickhouse.native_types import outer_parts, read_type

INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"


def number(value: int) -> bytes:
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return number(len(data)) + data


def offsets(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}Q", *values)


STRINGS = text("") + text("x" * 300) + text("é")
COLUMNS = [
    ("UInt64", offsets(1, 2, 3)),
    ("String", STRINGS),
    ("Nullable(String)", b"\x00\x01\x00" + STRINGS),
    ("Array(String)", offsets(0, 2, 3) + STRINGS),
    ("Array(Array(UInt8))", offsets(1, 1, 2) + offsets(2, 5) + b"abcde"),
    ("Array(LowCardinality(String))", offsets(1) + offsets(0, 0, 0)),
    ("LowCardinality(Nullable(String))", offsets(1) + offsets(0x600, 3) + STRINGS + offsets(3) + b"\x00\x01\x02"),
    ("LowCardinality(String)", offsets(1) + offsets(0x601, 1) + text("k") + offsets(3) + bytes(6)),
    ("Map(String, UInt16)", offsets(1, 2, 3) + STRINGS + bytes(6)),
    ("Tuple(a UInt8, `b c` Array(UInt8))", b"abc" + offsets(0, 0, 1) + b"z"),
    ("Tuple()", b"000"),
    ("Enum8('a,(' = 1, 'b\\'' = 2)", b"\x01\x02\x01"),
    ("DateTime64(3, 'Etc/UTC')", offsets(1, 2, 3)),
    ("Decimal(20, 3)", bytes(48)),
    ("FixedString(5)", bytes(15)),
    ("SimpleAggregateFunction(sum, UInt32)", bytes(12)),
    ("IntervalDay", bytes(24)),
    ("Ring", offsets(0, 1, 1) + bytes(16)),
]


@given(
    blocks=st.lists(st.lists(st.sampled_from(COLUMNS), max_size=4), max_size=3),
    sizes=st.lists(st.integers(1, 700), min_size=1, max_size=5),
)
def test_each_block_and_column_is_framed(blocks: list[list[tuple[str, bytes]]], sizes: list[int]) -> None:
    plain = framed = b""
    for columns in blocks:
        plain += number(len(columns)) + number(3)
        framed += INFO + number(len(columns)) + number(3)
        for kind, data in columns:
            head = text("name") + text(kind)
            plain += head + data
            framed += head + b"\x00" + data
    framing, sent, at = NativeFraming(), b"", 0
    while at < len(plain):
        size = sizes[at % len(sizes)]
        sent += framing.feed(plain[at : at + size])
        at += size
    assert sent == framed


def test_a_block_without_rows_has_no_data() -> None:
    block = number(1) + number(0) + text("a") + text("Array(LowCardinality(String))")
    assert NativeFraming().feed(block + block) == (INFO + block + b"\x00") * 2


@pytest.mark.parametrize("kind", ["JSON", "Dynamic", "Variant(String, UInt8)", "AggregateFunction(sum, UInt8)", ""])
def test_types_of_unknown_extent_are_refused(kind: str) -> None:
    with pytest.raises(QueryFailed) as caught:
        read_type(kind)
    assert caught.value.code == 48


def test_types_are_cut_at_outer_commas() -> None:
    types = ("UInt8", "Map(String, UInt8)", "Enum8('a,b' = 1)")
    assert outer_parts(", ".join(types)) == types
