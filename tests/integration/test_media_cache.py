"""A chunk is prepared once, found whole or not at all, and room is made for new ones."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from domain.errors import MediaError, Unavailable
from infra.media.cache import ChunkCache

REPOSITORY = Path(__file__).parents[2]
KEY = "task_17_chunk_0_compressed-5f3a"
AGED = 3600  # seconds


@pytest.fixture
def cache(tmp_path: Path) -> ChunkCache:
    return ChunkCache(tmp_path / "cache", max_bytes=1_000_000)


def writing(content: bytes) -> Callable[[BinaryIO], None]:
    def make(out: BinaryIO) -> None:
        out.write(content)

    return make


def not_to_be_made(_: BinaryIO) -> None:
    raise AssertionError("it is in the cache")


def use_at(path: Path, seconds_ago: float) -> None:
    moment = time.time() - seconds_ago
    os.utime(path, (moment, moment))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@contextmanager
def no_file_may_exceed(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_was_made_is_found_again(cache: ChunkCache, tmp_path: Path) -> None:
    assert cache.get(KEY) is None
    path = cache.get_or_make(KEY, writing(b"frames"))
    assert path.read_bytes() == b"frames"
    assert cache.get(KEY) == cache.get_or_make(KEY, not_to_be_made) == path
    assert ChunkCache(tmp_path / "cache", 1_000_000).get_or_make(KEY, not_to_be_made) == path
    assert files(tmp_path / "cache") == [path]


def test_keys_do_not_meet(cache: ChunkCache) -> None:
    paths = {cache.get_or_make(f"chunk_{number}", writing(b"%d" % number)) for number in range(300)}
    assert len(paths) == 300
    assert all(
        cache.get_or_make(f"chunk_{number}", not_to_be_made).read_bytes() == b"%d" % number for number in range(300)
    )


@pytest.mark.parametrize("key", ["", "../up", "/etc/passwd", "a/b", ".hidden", "a\0b", "a b", "x" * 201, "new\n"])
def test_no_key_leaves_the_folder(cache: ChunkCache, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        cache.get_or_make(key, not_to_be_made)


def test_many_who_ask_for_the_same_wait_for_one(cache: ChunkCache) -> None:
    started, may_end, made = threading.Event(), threading.Event(), []

    def make(out: BinaryIO) -> None:
        made.append(out)
        started.set()
        assert may_end.wait(60)
        out.write(b"frames")

    with ThreadPoolExecutor(20) as pool:
        first = pool.submit(cache.get_or_make, KEY, make)
        assert started.wait(60)
        others = [pool.submit(cache.get_or_make, KEY, make) for _ in range(19)]
        assert cache.get_or_make("another", writing(b"not held up")).read_bytes() == b"not held up"
        assert not any(future.done() for future in [first, *others])
        may_end.set()
        assert {future.result(60) for future in others} == {first.result(60)}
    assert len(made) == 1
    assert first.result().read_bytes() == b"frames"


def test_a_failure_reaches_all_who_wait_and_is_not_kept(cache: ChunkCache, tmp_path: Path) -> None:
    started, may_end = threading.Event(), threading.Event()

    def fail(out: BinaryIO) -> None:
        out.write(b"half")
        started.set()
        assert may_end.wait(60)
        raise MediaError("holiday.png is damaged")

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(cache.get_or_make, KEY, fail)
        assert started.wait(60)
        with ThreadPoolExecutor(3) as waiting_pool:
            waiting = [waiting_pool.submit(cache.get_or_make, KEY, fail) for _ in range(3)]
            may_end.set()
            for future in [first, *waiting]:
                with pytest.raises(MediaError, match=r"^holiday\.png is damaged$"):
                    future.result(60)
    assert files(tmp_path / "cache") == []
    assert cache.get_or_make(KEY, writing(b"frames")).read_bytes() == b"frames"


def test_waiting_has_an_end(tmp_path: Path) -> None:
    cache = ChunkCache(tmp_path / "cache", 1_000_000, wait_seconds=0.05)
    started, may_end = threading.Event(), threading.Event()

    def make(out: BinaryIO) -> None:
        started.set()
        assert may_end.wait(60)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(cache.get_or_make, KEY, make)
        assert started.wait(60)
        with pytest.raises(Unavailable, match=f"{KEY} is still being prepared"):
            cache.get_or_make(KEY, make)
        may_end.set()
        assert first.result(60).read_bytes() == b""


def test_what_another_made_between_looking_and_making_is_taken(tmp_path: Path) -> None:
    class LookedTooEarly(ChunkCache):
        looked = False

        def get(self, key: str) -> Path | None:
            found = super().get(key)
            if not self.looked:
                self.looked = True
                ChunkCache(tmp_path / "cache", 1_000_000).get_or_make(key, writing(b"frames"))
            return found

    cache = LookedTooEarly(tmp_path / "cache", 1_000_000)
    assert cache.get_or_make(KEY, not_to_be_made).read_bytes() == b"frames"


def test_nothing_is_seen_before_it_is_whole(cache: ChunkCache) -> None:
    def make(out: BinaryIO) -> None:
        out.write(b"first half")
        out.flush()
        assert cache.get(KEY) is None
        out.write(b"second half")

    assert cache.get_or_make(KEY, make).read_bytes() == b"first halfsecond half"


@pytest.mark.parametrize(
    "damaged", [b"", bytes(5000), bytes(5001), bytes(4999), b"x" * 4999, b"x" * 5001, b"y" + b"x" * 4999]
)
def test_a_damaged_entry_is_made_again(cache: ChunkCache, damaged: bytes) -> None:
    cache.get_or_make(KEY, writing(b"x" * 5000)).write_bytes(damaged)
    assert cache.get(KEY) is None
    assert cache.get_or_make(KEY, writing(b"x" * 5000)).read_bytes() == b"x" * 5000


def test_the_least_recently_used_go_first(cache: ChunkCache, tmp_path: Path) -> None:
    """Used last: 0 just now, then 19, 18, … and 1 longest ago."""
    paths = [cache.get_or_make(f"chunk_{number}", writing(bytes(60_000))) for number in range(16)]
    for number, path in enumerate(paths):
        use_at(path, AGED - number)
    assert cache.get("chunk_0") == paths[0]
    for number in range(3):
        cache.get_or_make(f"new_{number}", writing(bytes(60_000)))
    assert sum(path.stat().st_size for path in files(tmp_path / "cache")) <= 1_000_000
    alive = [cache.get(f"chunk_{number}") is not None for number in range(16)]
    gone = alive.count(False)
    assert 3 <= gone <= 5
    assert alive == [True, *[False] * gone, *[True] * (15 - gone)]
    assert all(cache.get(f"new_{number}") for number in range(3))


def test_a_cache_never_outgrows_its_size(tmp_path: Path) -> None:
    cache = ChunkCache(tmp_path / "cache", max_bytes=100_000)
    for number in range(200):
        use_at(cache.get_or_make(f"chunk_{number}", writing(bytes(3_000))), AGED - number)
        assert sum(path.stat().st_size for path in files(tmp_path / "cache")) <= 100_000


def test_what_a_reader_may_be_about_to_open_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.media.cache._FRESH", AGED / 2)  # on a busy machine all this may take long
    cache = ChunkCache(tmp_path / "cache", max_bytes=1_000)
    paths = [cache.get_or_make(f"chunk_{number}", writing(bytes(800))) for number in range(5)]
    assert all(path.exists() for path in paths)
    for path in paths:
        use_at(path, AGED)
    assert cache.get("chunk_2") == paths[2]  # handed out now
    cache.sweep()
    assert [path.exists() for path in paths] == [False, False, True, False, False]


def test_a_warm_read_writes_nothing(cache: ChunkCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.media.cache._TOUCH", AGED)
    path = cache.get_or_make(KEY, writing(b"frames"))
    use_at(path, 2)
    before = path.stat()
    assert cache.get(KEY) == path
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert path.stat().st_ctime_ns == before.st_ctime_ns


def test_leftovers_of_a_crash_go_when_nobody_can_be_writing_them(cache: ChunkCache, tmp_path: Path) -> None:
    cache.get_or_make(KEY, writing(b"frames"))
    leftover, in_work = (tmp_path / "cache" / ".unfinished" / name for name in ("leftover", "in-work"))
    leftover.write_bytes(b"half")
    in_work.write_bytes(b"half")
    use_at(leftover, 2 * AGED)
    cache.sweep()
    assert not leftover.exists()
    assert in_work.exists()


def test_a_full_disk_is_said_so(cache: ChunkCache, tmp_path: Path) -> None:
    with no_file_may_exceed(1_000), pytest.raises(Unavailable, match=f"no space left to prepare {KEY}"):
        cache.get_or_make(KEY, writing(bytes(50_000)))
    assert files(tmp_path / "cache") == []


def test_a_source_that_is_gone_is_not_a_full_disk(cache: ChunkCache) -> None:
    def make(out: BinaryIO) -> None:
        out.write(Path("/nonexistent/blob").read_bytes())

    with pytest.raises(FileNotFoundError):
        cache.get_or_make(KEY, make)


CHURNING = """
import os, sys
from contextlib import suppress
from pathlib import Path
from infra.media.cache import ChunkCache
cache = ChunkCache(Path(sys.argv[1]), max_bytes=2_000)
for turn in range(600):
    number = turn % 3
    content = b"%d" % number * 1000
    path = cache.get_or_make(f"chunk_{number}", lambda out: out.write(content))
    with suppress(FileNotFoundError):  # it was made to look old by another process, and removed
        assert path.read_bytes() == content, path
        os.utime(path, (turn, turn))
    cache.sweep()
"""


def test_processes_that_share_the_folder_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Each removes entries while the others publish the same ones."""
    command = [sys.executable, "-c", CHURNING, str(tmp_path / "cache")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), *filter(None, sys.path)])}
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) for _ in range(3)]
    errors = [process.communicate(timeout=300)[1][-500:] for process in processes]
    assert errors == ["", "", ""]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sum(path.stat().st_size for path in files(tmp_path / "cache")) <= 2_000
