"""ClickHouse's own compressed blocks."""

from __future__ import annotations

import struct

import lz4.block  # type: ignore[import-untyped]
import pytest
from clickhouse_cityhash.cityhash import CityHash128  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from infra.clickhouse.blocks import METHODS, BlockEncoder, unblocked
from infra.clickhouse.compression import own_blocks
from infra.clickhouse.errors import QueryFailed


@given(
    parts=st.lists(st.binary(max_size=5_000), max_size=4),
    size=st.integers(1, 900),
    method=st.sampled_from(sorted(METHODS)),
)
def test_what_goes_in_comes_out(parts: list[bytes], size: int, method: str) -> None:
    encoder = BlockEncoder(method)
    body = b"".join(map(encoder.compress, parts)) + encoder.flush()
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    assert b"".join(unblocked(chunks)) == b"".join(parts)


def test_the_layout_is_clickhouses() -> None:
    block = BlockEncoder("LZ4").compress(b"abc" * 100)
    method, size, content = struct.unpack("<BII", block[16:25])
    assert (method, size, content) == (0x82, len(block) - 16, 300)
    low, high = struct.unpack("<QQ", block[:16])
    assert (low << 64) + high == CityHash128(block[16:])


def test_large_answers_are_cut_into_blocks() -> None:
    blocks = list(unblocked([BlockEncoder("ZSTD").compress(bytes(2_500_000))]))
    assert [len(block) for block in blocks] == [1_048_576, 1_048_576, 402_848]


def block(method: int, data: bytes, content: int, size: int | None = None) -> bytes:
    hashed = struct.pack("<BII", method, len(data) + 9 if size is None else size, content) + data
    value = CityHash128(hashed)
    return struct.pack("<QQ", value >> 64, value & (1 << 64) - 1) + hashed


@pytest.mark.parametrize(
    "body",
    [
        b"short",
        block(0x82, b"", 0)[:20],
        block(0x82, b"not lz4", 100),
        block(0x90, b"not zstd", 100),
        block(0x82, lz4.block.compress(b"abc", store_size=False), 99),
        block(0x82, lz4.block.compress(bytes(1000), store_size=False), 3),
        block(0x33, b"x", 1),
        block(0x02, b"x", 1, size=3),
        block(0x82, b"x", 0xFFFFFFFF),
        block(0x82, b"x", 1, size=0xFFFFFFFF),
    ],
)
def test_damage_is_an_error(body: bytes) -> None:
    with pytest.raises(QueryFailed) as caught:
        list(unblocked([body]))
    assert caught.value.code in (40, 271)


def test_a_wrong_checksum_is_said_so() -> None:
    body = bytearray(BlockEncoder("LZ4").compress(b"abc" * 100))
    body[-1] ^= 1
    with pytest.raises(QueryFailed, match="Checksum") as caught:
        list(unblocked([bytes(body)]))
    assert caught.value.code == 40


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = block(0x82, lz4.block.compress(bytes(10_000_000), store_size=False), 10_000_000)
    assert len(bomb) < 50_000
    assert sum(map(len, unblocked([bomb]))) == 10_000_000
    with pytest.raises(QueryFailed):
        list(unblocked([bomb], largest=1_000_000))


def test_unknown_methods_are_refused() -> None:
    assert own_blocks("zstd").name == ""
    with pytest.raises(QueryFailed):
        own_blocks("ROT13")
