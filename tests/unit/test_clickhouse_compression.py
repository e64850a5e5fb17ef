"""Bodies compressed by clients, answers compressed for them."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import brotli  # type: ignore[import-untyped]
import lz4.frame  # type: ignore[import-untyped]
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from infra.clickhouse.compression import Encoder, decoded, negotiate
from infra.clickhouse.errors import QueryFailed

MIB = 1024 * 1024
COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "lz4": lz4.frame.compress,
    "zstd": zstandard.compress,
    "br": brotli.compress,
    "identity": bytes,
}


def encoder_of(encoding: str) -> Encoder:
    coding = negotiate(encoding)
    assert coding is not None
    return coding.encoder()


@pytest.mark.parametrize("encoding", [name for name in COMPRESSORS if name != "br"])  # brotli has no frames
@given(frames=st.lists(st.binary(max_size=3_000), max_size=4), size=st.integers(1, 4_000))
def test_frame_after_frame_in_parts_of_any_size(encoding: str, frames: list[bytes], size: int) -> None:
    body = b"".join(map(COMPRESSORS[encoding], frames))
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    assert b"".join(decoded(parts, encoding)) == b"".join(frames)


@pytest.mark.parametrize("encoding", [name for name in COMPRESSORS if name != "identity"])
def test_a_bomb_comes_in_small_pieces(encoding: str) -> None:
    pieces = list(decoded([COMPRESSORS[encoding](bytes(40 * MIB))], encoding))
    assert sum(map(len, pieces)) == 40 * MIB
    assert max(map(len, pieces)) <= MIB


@pytest.mark.parametrize("encoding", [name for name in COMPRESSORS if name != "identity"])
def test_answers_can_be_read_back(encoding: str) -> None:
    coder = encoder_of(encoding)
    body = b"".join([coder.compress(b"abc" * 1000), coder.compress(b""), coder.compress(b"x"), coder.flush()])
    assert b"".join(decoded([body], encoding)) == b"abc" * 1000 + b"x"


@pytest.mark.parametrize("encoding", [name for name in COMPRESSORS if name != "identity"])
def test_damage_is_an_error(encoding: str) -> None:
    with pytest.raises(QueryFailed, match="Cannot decompress"):
        list(decoded([b"not compressed at all"], encoding))


def test_negotiation_takes_the_cheapest() -> None:
    asked = ["lz4,zstd,gzip,deflate", "gzip, deflate, br, zstd", "gzip;q=0.5", "gzip;q=0, deflate", "br", ""]
    codings = [negotiate(accept) for accept in asked]
    assert [coding and coding.name for coding in codings] == ["lz4", "zstd", "gzip", "deflate", "br", None]
