"""Removing files of blobs that nothing refers to any more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from infra.blobs.disk import disk_errors, fsync
from infra.blobs.store import SHA256, Unused, Used

ASIDE = ".removed"
"""How the name of a blob ends that is being looked at before it is removed."""


def unused_blobs(root: Path, used: Used, before: float) -> Iterator[Unused]:
    """`before`: a POSIX time; younger blobs stay, for they may belong to an upload that is about to be recorded."""
    put_back(root)
    with disk_errors():
        folders = sorted(path for path in root.iterdir() if path.is_dir() and len(path.name) == 2)
    for folder in folders:
        old = _older(folder, before)
        for sha256 in sorted(old.keys() - used(list(old))):
            yield Unused(sha256, old[sha256])


def _older(folder: Path, before: float) -> dict[str, int]:
    """The blobs in a folder from before a POSIX time, and their sizes in bytes."""
    found = {}
    with disk_errors(), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # another sweep has just removed it
                if SHA256.fullmatch(entry.name) and (status := entry.stat()).st_mtime < before:
                    found[entry.name] = status.st_size
    return found


def put_back(root: Path) -> None:
    """Gives blobs their names back that a killed sweep had taken aside: they may have been wanted."""
    for aside in root.glob(f"??/*{ASIDE}"):
        with disk_errors(), suppress(FileNotFoundError):  # another sweep is about to remove it
            with suppress(FileExistsError):
                os.link(aside, aside.with_suffix(""))
            aside.unlink()


def remove(path: Path, before: float) -> bool:
    """False when somebody has stored the same content again meanwhile: then it stays.

    Whoever stores what is there already renews its date (`FileBlobs`). So the file is first taken away from its name,
    and looked at after that: it was renewed before, and is put back; or whoever comes later finds nothing, and writes
    the content anew.
    """
    aside = path.with_suffix(ASIDE)
    with disk_errors():
        try:
            path.rename(aside)
        except FileNotFoundError:
            return False
        try:
            renewed = aside.stat().st_mtime >= before
            if renewed:
                with suppress(FileExistsError):
                    os.link(aside, path)
            aside.unlink()
        except FileNotFoundError:  # a start of the service has put it back
            return False
        fsync(path.parent)
    return not renewed
