"""Copies of blobs on a machine's disk: made once, bounded, and never another content than the blob's."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest

from domain.errors import NotFound, StorageFull
from infra.blobs.s3.copies import FRESH, LocalCopies

REPOSITORY = Path(__file__).parents[3]


def name(number: int) -> str:
    return hashlib.sha256(b"%d" % number).hexdigest()


def fetch(copies: LocalCopies, number: int, size: int = 100) -> Path:
    return copies.get(name(number), lambda out: out.write(bytes(size)))


def unwanted(_: BinaryIO) -> None:
    pytest.fail("it is downloaded again")


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*/[0-9a-f][0-9a-f]/*") if path.is_file()]


def test_a_copy_is_made_once(tmp_path: Path) -> None:
    copies = LocalCopies(tmp_path, 10_000)
    path = fetch(copies, 1)
    assert copies.get(name(1), unwanted) == LocalCopies(tmp_path, 10_000).get(name(1), unwanted) == path
    assert path.read_bytes() == bytes(100)


def test_of_many_who_ask_at_once_one_downloads(tmp_path: Path) -> None:
    begun: list[int] = []
    everybody = threading.Barrier(8)

    def ask(number: int) -> Path:
        copies = LocalCopies(tmp_path, 10_000)  # as another process has it
        everybody.wait(60)
        return copies.get(name(1), lambda out: begun.append(number))

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    assert len(begun) == 1


ASKING = """
import hashlib, sys
from pathlib import Path
from infra.blobs.s3.copies import LocalCopies
copies = LocalCopies(Path(sys.argv[1]), 10_000)
print("ready", flush=True)
sys.stdin.readline()
copies.get(hashlib.sha256(b"1").hexdigest(), lambda out: print("downloaded", flush=True))
"""


def test_of_many_processes_one_downloads(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *filter(None, sys.path)])}
    command = [sys.executable, "-c", ASKING, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    processes = [subprocess.Popen(command, text=True, env=environment, **pipes) for _ in range(3)]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        said = [process.communicate("go on\n", timeout=60)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert sorted(said) == ["", "", "downloaded\n"]


def test_a_download_that_fails_leaves_nothing_and_the_next_tries_again(tmp_path: Path) -> None:
    copies = LocalCopies(tmp_path, 10_000)

    def fail(out: BinaryIO) -> None:
        out.write(b"half")
        raise NotFound

    with pytest.raises(NotFound):
        copies.get(name(1), fail)
    assert files(tmp_path) == []
    assert [path.name for path in tmp_path.glob("*/.incoming/*/*")] == ["owner"]
    assert fetch(copies, 1).exists()


def test_the_least_recently_used_go_when_it_is_full(tmp_path: Path) -> None:
    copies = LocalCopies(tmp_path, 10_000)
    paths = [fetch(copies, number) for number in range(120)]
    for number, path in enumerate(paths):
        age(path, FRESH + 1_000 - number)
    fetch(copies, 3)  # used again
    copies.sweep()
    kept = {path.name for path in files(tmp_path)}
    assert name(3) in kept
    assert kept - {name(3)} == {name(number) for number in range(120 - len(kept) + 1, 120)}
    assert 9_000 < 100 * len(kept) <= 10_000 * 15 / 16


def test_what_was_handed_out_lately_stays_even_if_it_is_too_much(tmp_path: Path) -> None:
    copies = LocalCopies(tmp_path, 1_000)
    paths = [fetch(copies, number) for number in range(40)]
    for path in paths:
        age(path, FRESH - 60)
    copies.sweep()
    assert all(path.exists() for path in paths)


def test_what_was_only_uploaded_goes_before_what_is_used(tmp_path: Path) -> None:
    copies = LocalCopies(tmp_path, 1_000)
    used = [fetch(copies, number) for number in range(5)]
    for number in range(10, 30):
        staged = copies.staging.new_path()
        Path(staged).write_bytes(bytes(100))
        copies.keep(staged, name(number))
    assert all(path.exists() for path in used)
    assert len(files(tmp_path)) <= 11


def test_a_copy_in_use_is_not_removed_between_its_finding_and_its_opening(tmp_path: Path) -> None:
    """Whoever comes while a sweep is at it gets a file that is there."""
    copies = LocalCopies(tmp_path, 0)
    over = threading.Event()

    def sweep() -> None:
        while not over.is_set():
            copies.sweep()

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    try:
        for number in range(300):
            path = fetch(copies, number % 3)
            assert path.read_bytes() == bytes(100)
            age(path, FRESH + 10)
    finally:
        over.set()
        sweeper.join()


def test_copies_of_an_earlier_start_of_the_machine_are_thrown_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may have been cut by a power failure."""
    boot_id = tmp_path / "boot_id"
    monkeypatch.setattr("infra.blobs.s3.copies.BOOT_ID", boot_id)
    boot_id.write_text("first\n")
    living = LocalCopies(tmp_path / "copies", 10_000)
    path = fetch(living, 1)
    boot_id.write_text("second\n")
    LocalCopies(tmp_path / "copies", 10_000)
    assert path.exists(), "another machine, which shares the folder, works with it"
    fcntl.flock(living._in_use, fcntl.LOCK_UN)
    second = LocalCopies(tmp_path / "copies", 10_000)
    assert not path.exists()
    assert fetch(second, 1).exists()


def test_a_full_disk_is_said_so(tmp_path: Path) -> None:
    def fill(_: BinaryIO) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageFull):
        LocalCopies(tmp_path, 10_000).get(name(1), fill)
