"""A blob is stored once, under the hash of its content, and is on disk before anyone relies on it. What other stores
promise, too, is in blobs/test_stores.py.
"""

from __future__ import annotations

import hashlib
import io
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from domain.errors import Unavailable
from infra.blobs import IN_MEMORY, MANY_FILES, SMALL, Blob, BlobWriter, FileBlobs
from infra.blobs import writer as writer_module
from infra.blobs.writer import Memory

REPOSITORY = Path(__file__).parents[2]
HELLO = hashlib.sha256(b"hello").hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> FileBlobs:
    return FileBlobs(tmp_path / "blobs")


def stored_files(root: Path) -> list[Path]:
    return [path for path in root.glob("??/*") if path.is_file()]


def half_written_files(root: Path) -> list[Path]:
    return [path for path in root.glob(".incoming/*/*") if path.name != "owner"]


def filled_writers(store: FileBlobs, count: int) -> list[BlobWriter]:
    writers = [store.writer() for _ in range(count)]
    for number, writer in enumerate(writers):
        writer.write(b"content %d" % number)
    return writers


@contextmanager
def no_file_may_exceed(size: int) -> Iterator[None]:
    """What a full disk looks like to a writer: the system refuses the next bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_path_is_made_of_the_hash(store: FileBlobs, tmp_path: Path) -> None:
    store.put([b"hello"])
    assert store.path(HELLO) == tmp_path / "blobs" / HELLO[:2] / HELLO
    assert store.path(HELLO).read_bytes() == b"hello"


def test_an_aborted_writer_leaves_nothing(store: FileBlobs, tmp_path: Path) -> None:
    with store.writer() as writer:
        writer.write(b"hello")
    writer.abort()
    assert not store.exists(HELLO)
    assert half_written_files(tmp_path / "blobs") == []


def test_a_small_blob_has_no_file_before_its_end(store: FileBlobs, tmp_path: Path) -> None:
    with store.writer() as writer:
        writer.write(bytes(SMALL))
        assert half_written_files(tmp_path / "blobs") == []
        writer.close()
        assert [path.read_bytes() for path in half_written_files(tmp_path / "blobs")] == [bytes(SMALL)]


@pytest.mark.parametrize("parts", [[SMALL + 1], [SMALL, 1], [SMALL - 1, 1, 1], [1, SMALL, SMALL, 5]])
def test_a_blob_that_grows_large_is_written_as_it_comes(store: FileBlobs, tmp_path: Path, parts: list[int]) -> None:
    content = os.urandom(sum(parts))
    source = io.BytesIO(content)
    with store.writer() as writer:
        for size in parts:
            writer.write(source.read(size))
        assert len(half_written_files(tmp_path / "blobs")) == 1
        assert_no_memory_is_held(store)
        [blob] = store.commit([writer])
    assert blob == Blob(hashlib.sha256(content).hexdigest(), len(content))
    assert store.path(blob.sha256).read_bytes() == content


def test_small_blobs_go_to_files_when_their_memory_is_used_up(store: FileBlobs, tmp_path: Path) -> None:
    store._around.memory._free = 30  # for two of these, and the half of another
    writers = [store.writer() for _ in range(4)]
    for number, writer in enumerate(writers):
        writer.write(b"content")
        writer.write(b" %03d" % number)
    assert len(half_written_files(tmp_path / "blobs")) == 2
    blobs = store.commit(writers)
    assert [store.path(blob.sha256).read_bytes() for blob in blobs] == [b"content %03d" % n for n in range(4)]
    assert store._around.memory._free == 30


@pytest.mark.parametrize("end", [BlobWriter.abort, BlobWriter.close])
def test_the_memory_of_a_small_blob_is_given_back(store: FileBlobs, end: Callable[[BlobWriter], object]) -> None:
    with store.writer() as writer:
        writer.write(b"hello")
        assert store._around.memory._free == IN_MEMORY - 5
        end(writer)
        assert_no_memory_is_held(store)


def test_the_memory_is_given_back_when_the_disk_is_full(store: FileBlobs) -> None:
    writers = filled_writers(store, 10)
    with no_file_may_exceed(3), pytest.raises(Unavailable):
        store.commit(writers)
    assert_no_memory_is_held(store)


def test_the_memory_is_counted_right_by_many_threads() -> None:
    memory = Memory(100)

    def use(size: int) -> None:
        for _ in range(2_000):
            if memory.take(size):
                assert 0 <= memory._free <= 100 - size
                memory.give_back(size)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(10, 90, 10)))
    assert memory._free == 100


def assert_no_memory_is_held(store: FileBlobs) -> None:
    assert store._around.memory._free == IN_MEMORY


def test_a_small_blob_that_is_stored_already_needs_no_file(store: FileBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put([b"hello"])
    monkeypatch.setattr(writer_module, "_create_read_only", lambda path, flags: pytest.fail(f"{path} is created"))
    writer = store.writer()
    writer.write(b"hello")
    assert store.commit([writer]) == [Blob(HELLO, 5)]
    monkeypatch.undo()
    assert store.verify(HELLO)


def test_a_duplicate_whose_original_vanishes_is_not_called_stored(store: FileBlobs) -> None:
    store.put([b"hello"])
    writer = store.writer()
    writer.write(b"hello")
    writer.close()
    store.path(HELLO).unlink()
    with pytest.raises(Unavailable):
        store.commit([writer])


@pytest.mark.parametrize("size", [1, SMALL + 1])
def test_what_is_aborted_can_neither_be_written_to_nor_stored(store: FileBlobs, size: int) -> None:
    writer = store.writer()
    writer.write(bytes(size))
    writer.abort()
    with pytest.raises(ValueError, match="closed"):
        writer.write(b"more")
    with pytest.raises(Unavailable):
        store.commit([writer])
    assert not store.exists(hashlib.sha256(bytes(size)).hexdigest())


def test_the_same_content_is_stored_once(store: FileBlobs, tmp_path: Path) -> None:
    first = store.put([b"hello"])
    inode = store.path(HELLO).stat().st_ino
    twins = [store.writer(), store.writer()]
    for twin in twins:
        twin.write(b"hello")
    assert store.commit(twins) == [first, first]
    assert store.path(HELLO).stat().st_ino == inode
    assert stored_files(tmp_path / "blobs") == [store.path(HELLO)]
    assert half_written_files(tmp_path / "blobs") == []


@pytest.mark.parametrize("damaged", [b"hellO", b"hell", b"", b"hello "])
def test_damage_is_noticed(store: FileBlobs, damaged: bytes) -> None:
    store.put([b"hello"])
    overwrite(store.path(HELLO), damaged)
    assert not store.verify(HELLO)


def test_a_damaged_blob_is_replaced_when_its_content_comes_again(store: FileBlobs) -> None:
    store.put([b"hello"])
    overwrite(store.path(HELLO), b"")
    store.put([b"hello"])
    assert store.verify(HELLO)


def overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o640)
    path.write_bytes(content)


class DiskDiary:
    """What was done to the disk and in which order, while it is done: ("sync" | "rename" | "sync all", inode)."""

    def __init__(self, store: FileBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entries: list[tuple[str, int]] = []
        fsync, replace, sync_all = os.fsync, os.replace, store._filesystem.sync

        def noted_fsync(handle: int) -> None:
            fsync(handle)
            self.entries.append(("sync", os.fstat(handle).st_ino))

        def noted_replace(source: Path, target: Path) -> None:
            inode = Path(source).stat().st_ino
            replace(source, target)
            self.entries.append(("rename", inode))

        def noted_sync_all() -> bool:
            done = sync_all()
            self.entries.append(("sync all" if done else "can't sync all", 0))
            return done

        monkeypatch.setattr(os, "fsync", noted_fsync)
        monkeypatch.setattr(os, "replace", noted_replace)
        monkeypatch.setattr(store._filesystem, "sync", noted_sync_all)

    def names(self) -> list[str]:
        return [name for name, _ in self.entries]

    def assert_synced_one_by_one(self, files: list[Path], root: Path) -> None:
        """Each content before its name, each folder of the name after it."""
        for file in files:
            inode = file.stat().st_ino
            renamed = self.entries.index(("rename", inode))
            assert ("sync", inode) in self.entries[:renamed]
            for folder in (file.parent, root):
                assert ("sync", folder.stat().st_ino) in self.entries[renamed:]


@pytest.mark.parametrize("count", [1, 12])
def test_a_few_blobs_reach_the_disk_content_first(
    store: FileBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    writers = filled_writers(store, count)
    diary = DiskDiary(store, monkeypatch)
    files = [store.path(blob.sha256) for blob in store.commit(writers)]
    assert len(files) == count
    assert "sync all" not in diary.names()
    diary.assert_synced_one_by_one(files, tmp_path / "blobs")


def test_many_blobs_reach_the_disk_at_once_content_first(store: FileBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    if store._filesystem._syncfs is None:
        pytest.skip("this system has no syncfs that tells of errors")
    writers = filled_writers(store, 5 * MANY_FILES)  # so many that their folders are many, too
    diary = DiskDiary(store, monkeypatch)
    store.commit(writers)
    assert diary.names() == ["sync all", *["rename"] * 5 * MANY_FILES, "sync all"]


def test_when_the_sync_of_everything_fails_each_file_is_asked(
    store: FileBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.close(store._filesystem._handle)  # the system refuses to sync it
    store._filesystem._handle = -1
    writers = filled_writers(store, MANY_FILES)
    diary = DiskDiary(store, monkeypatch)
    files = [store.path(blob.sha256) for blob in store.commit(writers)]
    assert "sync all" not in diary.names()
    diary.assert_synced_one_by_one(files, tmp_path / "blobs")


def test_the_names_of_duplicates_are_synced_too(
    store: FileBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may have stored the same a moment ago, and may not be done."""
    store.put([b"hello"])
    writer = store.writer()
    writer.write(b"hello")
    diary = DiskDiary(store, monkeypatch)
    store.commit([writer])
    leaf = store.path(HELLO).parent
    assert set(diary.entries) == {("sync", folder.stat().st_ino) for folder in (leaf, leaf.parent, tmp_path / "blobs")}


def test_a_full_disk_is_said_so_and_passes(store: FileBlobs, tmp_path: Path) -> None:
    parts = [bytes(50_000)] * 10
    with no_file_may_exceed(100_000), pytest.raises(Unavailable, match="written to: File too large") as caught:
        store.put(parts)
    assert str(tmp_path) not in caught.value.message
    assert stored_files(tmp_path / "blobs") == half_written_files(tmp_path / "blobs") == []
    assert store.verify(store.put(parts).sha256)


def test_after_a_failed_commit_nothing_is_left_to_try_again_with(store: FileBlobs, tmp_path: Path) -> None:
    (tmp_path / "blobs" / HELLO[:2]).write_text("in the way")
    writer = store.writer()
    writer.write(b"hello")
    with pytest.raises(Unavailable):
        store.commit([writer])
    assert half_written_files(tmp_path / "blobs") == []
    (tmp_path / "blobs" / HELLO[:2]).unlink()
    with pytest.raises(Unavailable):
        store.commit([writer])
    assert not store.exists(HELLO)


UPLOADING = """
import sys
from pathlib import Path
from infra.blobs import SMALL, FileBlobs
store = FileBlobs(Path(sys.argv[1]))
writers = [store.writer() for _ in range(3)]
writers[0].write(b"hel")
writers[1].write(bytes(SMALL + 1))
writers[2].write(b"small")
writers[2].close()
print("half way", flush=True)
sys.stdin.readline()
writers[0].write(b"lo")
print(store.commit(writers[:1])[0].sha256, flush=True)
"""


@pytest.fixture
def process_half_way(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts a process that is in the middle of writing blobs; it goes on when it is given a line."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", UPLOADING, str(tmp_path / "blobs")]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), *filter(None, sys.path)])}
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "half way\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_what_a_killed_process_left_is_cleaned(
    store: FileBlobs, tmp_path: Path, process_half_way: Callable[[], subprocess.Popen[str]]
) -> None:
    process = process_half_way()
    assert len(half_written_files(tmp_path / "blobs")) == 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    store.put([b"kept"])
    assert store.clean() == 2
    assert half_written_files(tmp_path / "blobs") == []
    assert len(stored_files(tmp_path / "blobs")) == 1
    assert store.clean() == 0


def test_what_a_living_process_writes_is_left_alone(
    store: FileBlobs, process_half_way: Callable[[], subprocess.Popen[str]]
) -> None:
    process = process_half_way()
    assert store.clean() == 0
    assert process.communicate("go on\n")[0] == HELLO + "\n"
    assert store.verify(HELLO)


def test_own_half_written_blobs_survive_cleaning(store: FileBlobs, tmp_path: Path) -> None:
    with store.writer() as writer:
        writer.write(b"hello")
        assert FileBlobs(tmp_path / "blobs").clean() == store.clean() == 0
        store.commit([writer])
    assert store.verify(HELLO)
