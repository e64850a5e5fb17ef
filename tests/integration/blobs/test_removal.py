"""A blob that becomes wanted while a sweep removes it from S3 comes back, whenever that happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor

import pytest

from infra.blobs import SMALL
from infra.blobs.s3.blobs import S3Blobs
from infra.blobs.s3.bucket import Bucket
from infra.blobs.s3.removal import FOLDER, Removal, key_of
from infra.blobs.store import Unused
from infra.blobs.writer import AtOnce

from .conftest import Machine
from .test_stores import FUTURE, HELLO, nothing

SMALL_CONTENT = b"hello"
LARGE_CONTENT = bytes(5 * SMALL)
"""Of which a writer asks first whether it is there."""


class Interrupted(Bucket):
    """Somebody acts just before one of the steps of a removal."""

    def __init__(self, bucket: Bucket, step: str, act: Callable[[], object]) -> None:
        self.__dict__.update(bucket.__dict__)
        self._step, self._act = step, act

    def _at(self, step: str) -> None:
        if step == self._step:
            self._step = ""
            self._act()

    def copy(self, source: str, target: str, size: int) -> None:
        self._at("copy")
        super().copy(source, target, size)

    def head(self, key: str):  # type: ignore[no-untyped-def]
        self._at("head")
        return super().head(key)

    def delete(self, key: str) -> None:
        self._at("delete")
        super().delete(key)


def removed_copies(bucket: Bucket) -> int:
    return sum(1 for _ in bucket.list(FOLDER))


def used(*names: str) -> Callable[[Collection[str]], set[str]]:
    return lambda asked: set(names) & set(asked)


@pytest.mark.parametrize("content", [SMALL_CONTENT, LARGE_CONTENT], ids=["small", "large"])
@pytest.mark.parametrize("step", ["copy", "head", "delete"])
def test_what_is_stored_again_during_its_removal_is_there(
    machine: Machine, bucket: Bucket, step: str, content: bytes
) -> None:
    blob = machine("first").put([content])
    uploader = machine("uploader")
    interrupted = Interrupted(bucket, step, lambda: uploader.put([content]))
    Removal(interrupted).remove(Unused(blob.sha256, blob.size), FUTURE)
    reader = machine("reader")
    assert reader.exists(blob.sha256)
    assert reader.path(blob.sha256).read_bytes() == content
    assert reader.verify(blob.sha256)
    list(reader.sweep(used(blob.sha256), FUTURE))
    assert machine("another reader").path(blob.sha256).read_bytes() == content


def test_what_was_stored_again_before_the_look_keeps_its_name(machine: Machine, bucket: Bucket) -> None:
    store = machine("a machine")
    blob = store.put([SMALL_CONTENT])
    before = bucket.head(key_of(blob.sha256)).stored + 0.5
    later = Interrupted(bucket, "head", lambda: stored_after(store, bucket, before))
    assert not Removal(later).remove(Unused(blob.sha256, blob.size), before)
    assert bucket.head(key_of(blob.sha256)).stored >= before
    assert removed_copies(bucket) == 0


def stored_after(store: S3Blobs, bucket: Bucket, moment: float) -> None:
    """The server's clock shows whole seconds."""
    deadline = time.monotonic() + 60
    while bucket.head(key_of(HELLO)).stored < moment:
        assert time.monotonic() < deadline
        store.put([SMALL_CONTENT])


@pytest.mark.parametrize("ask", [S3Blobs.size, S3Blobs.exists, S3Blobs.path, S3Blobs.verify])
def test_whoever_asks_for_what_was_removed_brings_it_back(
    machine: Machine, bucket: Bucket, ask: Callable[[S3Blobs, str], object]
) -> None:
    blob = machine("first").put([SMALL_CONTENT])
    assert list(machine("first").sweep(nothing, FUTURE)) == [Unused(blob.sha256, blob.size)]
    assert list(bucket.list(HELLO[:2])) == []
    assert ask(machine("second"), blob.sha256)
    assert [found.size for found in bucket.list(HELLO[:2])] == [5]


def test_a_check_of_many_brings_back_what_was_removed(machine: Machine) -> None:
    store = machine("a machine")
    blobs = [store.put([b"%d" % number]) for number in range(260)]
    found = [Unused(blob.sha256, blob.size) for blob in blobs[:5]]
    assert all(store._removal.remove(blob, FUTURE) for blob in found)
    assert store.sizes([blob.sha256 for blob in blobs]) == {blob.sha256: blob.size for blob in blobs}


def test_what_was_removed_two_days_ago_goes_for_good(machine: Machine, bucket: Bucket) -> None:
    store = machine("a machine")
    gone, kept = store.put([b"gone"]), store.put([b"kept"])
    list(store.sweep(nothing, FUTURE))
    assert removed_copies(bucket) == 2
    Removal(bucket).settle(nothing, time.time() - 86_400, AtOnce())
    assert removed_copies(bucket) == 2, "they are not old enough"
    Removal(bucket).settle(used(kept.sha256), FUTURE, AtOnce())
    assert removed_copies(bucket) == 0
    assert store.sizes([gone.sha256, kept.sha256]) == {kept.sha256: 4}
    assert machine("another").path(kept.sha256).read_bytes() == b"kept"


def test_a_removal_that_was_killed_half_way_loses_nothing(machine: Machine, bucket: Bucket) -> None:
    blob = machine("first").put([SMALL_CONTENT])

    class Killed(BaseException):
        pass

    def kill() -> None:
        raise Killed

    for step in ("copy", "head", "delete"):
        with pytest.raises(Killed):
            Removal(Interrupted(bucket, step, kill)).remove(Unused(blob.sha256, blob.size), FUTURE)
        assert machine(f"reader at {step}").verify(blob.sha256)
    Removal(bucket).settle(nothing, FUTURE, AtOnce())
    assert removed_copies(bucket) == 0
    assert machine("later").verify(blob.sha256)


def test_a_process_that_stood_still_deletes_nothing_when_it_wakes(
    machine: Machine, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its copy may have gone for good meanwhile."""
    blob = machine("first").put([SMALL_CONTENT])
    monkeypatch.setattr("infra.blobs.s3.removal.SLOW_SECONDS", -1.0)
    assert not Removal(bucket).remove(Unused(blob.sha256, blob.size), FUTURE)
    assert machine("second").verify(blob.sha256)


def test_sweeps_side_by_side_count_each_blob_at_most_once_more_and_lose_none(machine: Machine, bucket: Bucket) -> None:
    blobs = [machine("first").put([b"%d" % number]) for number in range(40)]
    wanted = {blob.sha256 for blob in blobs[:20]}
    with ThreadPoolExecutor(3) as pool:
        sweeps = [pool.submit(lambda n=n: list(machine(f"sweep {n}").sweep(used(*wanted), FUTURE))) for n in range(3)]
        removed = {blob.sha256 for sweep in sweeps for blob in sweep.result()}
    assert removed == {blob.sha256 for blob in blobs[20:]}
    assert set(machine("second").sizes(list(wanted))) == wanted


def test_whoever_has_stored_can_read_while_a_sweep_takes_all_it_finds(machine: Machine, bucket: Bucket) -> None:
    """The worst sweep that there can be: everything is old and nothing used."""
    over = threading.Event()
    leaf = Unused(HELLO, 5)

    def sweep() -> int:
        removal, count = Removal(bucket), 0
        while not over.wait(0.02):  # a real sweep comes by once
            count += removal.remove(leaf, FUTURE)
        return count

    def upload(number: int) -> bool:
        store = machine(f"uploader {number}")
        return all(store.put([SMALL_CONTENT]).size == store.size(HELLO) and store.verify(HELLO) for _ in range(15))

    with ThreadPoolExecutor(6) as pool:
        sweeps = [pool.submit(sweep) for _ in range(2)]
        try:
            assert all(pool.map(upload, range(4)))
        finally:
            over.set()
        assert sum(each.result() for each in sweeps) > 0


def test_a_large_object_is_copied_in_parts(machine: Machine, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 itself copies 5 GiB at most."""
    monkeypatch.setattr("infra.blobs.s3.bucket.MOST_COPIED", 1_000)
    blob = machine("first").put([b"x" * (9 * SMALL)])
    assert Removal(bucket).remove(Unused(blob.sha256, blob.size), FUTURE)
    assert machine("second").verify(blob.sha256)
