"""What every blob store promises, whatever keeps the bytes."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import Invalid, NotFound, Unavailable
from infra.blobs import SMALL, Blob, BlobStore, BlobWriter, open_blobs
from infra.blobs.s3.blobs import S3Blobs
from infra.blobs.store import Unused, Usage
from infra.settings import Settings

REPOSITORY = Path(__file__).parents[3]
HELLO = hashlib.sha256(b"hello").hexdigest()
NOT_A_HASH = ["", HELLO[:-1], HELLO + "0", HELLO.upper(), HELLO + "\n", HELLO[:-1] + "g", HELLO[:-1] + "\0", "٣" * 64]
PATHS = ["../" + HELLO[3:], "/etc/passwd", ".incoming", "../../../../etc/passwd", "removed", "ab/" + HELLO[3:]]
FUTURE = 1e10
"""A time before which everything was stored."""


def filled_writers(store: BlobStore, contents: list[bytes]) -> list[BlobWriter]:
    writers = [store.writer() for _ in contents]
    for writer, content in zip(writers, contents, strict=True):
        writer.write(content)
    return writers


def nothing(_: Collection[str]) -> set[str]:
    """Of some blobs is used."""
    return set()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chunks=st.lists(st.binary(max_size=50_000), max_size=6))
def test_what_is_fed_in_any_parts_comes_back(store: BlobStore, chunks: list[bytes]) -> None:
    blob = store.put(chunks)
    content = b"".join(chunks)
    assert blob == Blob(hashlib.sha256(content).hexdigest(), len(content))
    with store.open(blob.sha256) as file:
        assert file.read() == content
    assert store.size(blob.sha256) == len(content)
    assert store.exists(blob.sha256)
    assert store.verify(blob.sha256)


def test_nothing_is_stored_before_the_commit(store: BlobStore) -> None:
    with store.writer() as writer:
        writer.write(b"hello")
        assert writer.close() == Blob(HELLO, 5)
        assert not store.exists(HELLO)
        assert store.commit([writer]) == [Blob(HELLO, 5)]
    assert store.exists(HELLO)


def test_an_aborted_writer_leaves_nothing(store: BlobStore) -> None:
    with store.writer() as writer:
        writer.write(b"hello")
    writer.abort()
    assert not store.exists(HELLO)
    with pytest.raises(Unavailable):
        store.commit([writer])
    assert store.usage() == Usage(0, 0)


@pytest.mark.parametrize("parts", [[SMALL + 1], [SMALL, 1], [SMALL - 1, 1, 1], [1, SMALL, SMALL, 5], [9 * SMALL] * 2])
def test_a_blob_that_grows_large_comes_back(store: BlobStore, parts: list[int]) -> None:
    content = os.urandom(sum(parts))
    source = io.BytesIO(content)
    blob = store.put([source.read(size) for size in parts])
    assert blob == Blob(hashlib.sha256(content).hexdigest(), len(content))
    assert store.path(blob.sha256).read_bytes() == content
    assert store.verify(blob.sha256)


def test_the_same_new_content_twice_in_one_commit_is_stored_once(store: BlobStore) -> None:
    assert store.commit(filled_writers(store, [b"hello", b"hello"])) == [Blob(HELLO, 5)] * 2
    assert store.commit(filled_writers(store, [b"hello"])) == [Blob(HELLO, 5)]
    assert store.usage() == Usage(1, 5)


def test_many_may_store_the_same_content_at_the_same_time(store: BlobStore) -> None:
    contents = [b"content %d" % (number % 7) for number in range(70)]
    with ThreadPoolExecutor(16) as pool:
        blobs = list(pool.map(lambda content: store.put([content]), contents))
    assert [blob.sha256 for blob in blobs] == [hashlib.sha256(content).hexdigest() for content in contents]
    assert store.usage().blobs == 7
    assert all(store.verify(blob.sha256) for blob in blobs)


@pytest.mark.parametrize("text", [*NOT_A_HASH, *PATHS])
def test_no_text_but_a_hash_is_a_name(store: BlobStore, text: str) -> None:
    for ask in (store.open, store.path, store.size, store.exists, store.verify):
        with pytest.raises(Invalid, match="Not the name of a blob"):
            ask(text)
    for ask_for_many in (
        store.paths,
        store.sizes,
        lambda names: store.adopt([(name, Path(__file__)) for name in names]),
    ):
        with pytest.raises(Invalid, match="Not the name of a blob"):
            ask_for_many([text])


def test_a_blob_that_is_not_there_is_not_found(store: BlobStore) -> None:
    assert not store.exists(HELLO)
    assert not store.verify(HELLO)
    assert store.sizes([HELLO]) == {}
    for ask in (store.open, store.path, store.size, lambda name: store.paths([name])):
        with pytest.raises(NotFound, match=HELLO):
            ask(HELLO)


def test_memory_does_not_grow_with_the_content(store: BlobStore) -> None:
    part = bytes(1 << 20)
    tracemalloc.start()
    try:
        store.put(part for _ in range(64))
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("count", [3, 300])
def test_sizes_are_told_of_few_and_of_many(store: BlobStore, count: int) -> None:
    blobs = store.commit(filled_writers(store, [b"%d" % number for number in range(count)]))
    asked = [*(blob.sha256 for blob in blobs), HELLO]
    assert store.sizes(asked) == {blob.sha256: blob.size for blob in blobs}
    assert store.usage() == Usage(count, sum(blob.size for blob in blobs))


def test_files_are_adopted(store: BlobStore, tmp_path: Path) -> None:
    contents = [b"hello", bytes(5 * SMALL)]
    files = []
    for content in contents:
        files.append((hashlib.sha256(content).hexdigest(), tmp_path / f"{len(content)}.bin"))
        files[-1][1].write_bytes(content)
    for _ in range(2):
        store.adopt(files)
    assert store.sizes([name for name, _ in files]) == {
        name: len(content) for (name, _), content in zip(files, contents, strict=True)
    }
    assert all(store.verify(name) for name, _ in files)


def test_what_is_neither_used_nor_young_is_swept(store: BlobStore) -> None:
    used, unused = store.commit(filled_writers(store, [b"used", b"unused"]))
    assert list(store.sweep(nothing, time.time() - 86_400)) == []
    found = list(store.sweep(lambda names: {used.sha256} & set(names), FUTURE, dry_run=True))
    assert found == [Unused(unused.sha256, 6)]
    assert store.usage().blobs == 2
    assert list(store.sweep(lambda names: {used.sha256} & set(names), FUTURE)) == found
    assert store.usage() == Usage(1, 4)
    assert store.verify(used.sha256)


def test_what_was_swept_can_be_stored_again(store: BlobStore) -> None:
    store.put([b"hello"])
    assert len(list(store.sweep(nothing, FUTURE))) == 1
    store.put([b"hello"])
    assert store.verify(HELLO)
    assert store.path(HELLO).read_bytes() == b"hello"


def test_a_store_with_more_than_a_page_of_blobs_is_seen_whole(s3: S3Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.blobs.s3.blobs.PAGE", 3)
    blobs = s3.commit(filled_writers(s3, [b"%d" % number for number in range(10)]))
    used = {blob.sha256 for blob in blobs[::2]}
    assert s3.usage() == Usage(10, 10)
    assert {blob.sha256 for blob in s3.sweep(used.intersection, FUTURE)} == {blob.sha256 for blob in blobs[1::2]}
    monkeypatch.setattr("infra.blobs.s3.blobs.ASKED_ONE_BY_ONE", 0)
    assert s3.sizes(used) == dict.fromkeys(used, 1)


STORING = """
import sys
from pathlib import Path
from infra.blobs import open_blobs
from infra.settings import Settings
store = open_blobs(Settings(data=Path(sys.argv[1]), blobs_url=sys.argv[2] or None))
print("ready", flush=True)
sys.stdin.readline()
writers = [store.writer() for _ in range(60)]
for number, writer in enumerate(writers):
    writer.write(b"%d" % number)
store.commit(writers)
"""


@pytest.mark.parametrize("kind", ["files", "s3"])
def test_processes_may_store_the_same_at_once(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue("s3_url") if kind == "s3" else None
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *filter(None, sys.path)])}
    command = [sys.executable, "-c", STORING, str(tmp_path), url or ""]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    processes = [subprocess.Popen(command, text=True, env=environment, **pipes) for _ in range(2)]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go on\n")
            process.stdin.flush()
        assert [process.wait(60) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    store = open_blobs(Settings(data=tmp_path / "reader" if url else tmp_path, blobs_url=url))
    assert store.usage().blobs == 60
    assert all(store.verify(hashlib.sha256(b"%d" % number).hexdigest()) for number in range(60))
