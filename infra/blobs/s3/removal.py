"""Removing objects that nothing refers to, so that one which becomes wanted meanwhile comes back.

A file system can take a name away and look again before the content goes (`infra.blobs.sweep`). S3 can't: between a
look at an object and its deletion somebody may store the same content once more, or may find it there and rely on it,
and no condition that S3 knows tells that from the object which was looked at. So what is removed is first copied to
`removed/`, below a key of this removal alone, which nobody but a removal ever touches:

- Whoever looks for a blob and does not find it looks there, and puts it back.
- What is there goes for good two days later (`KEPT_SECONDS`), when the log has been asked again: whoever relied on the
  blob before its name was deleted has recorded that long since. An upload takes at most a day from a blob's storing to
  its event, which is what the age of what may be removed rests on, too; a deletion follows its copy within an hour, or
  is not done.

A removal that is killed leaves a copy too many, or one whose original is still there. Both go in time. No two removals
can meet in a copy. All this takes a store that lets everybody read what was written, as Amazon's, MinIO's and Ceph's.
"""

from __future__ import annotations

import secrets
import time
from concurrent.futures import Executor
from contextlib import suppress
from itertools import islice

from infra.blobs.s3.bucket import Bucket, Object
from infra.blobs.store import Unused, Used
from infra.threads import in_order

FOLDER = "removed"
KEPT_SECONDS = 2 * 86_400.0
SLOW_SECONDS = 3_600.0
"""A deletion that is so late, because its process stood still, is not done."""

ASKED_AT_ONCE = 1_000
AT_ONCE = 32


class Removal:
    """Of the blobs of a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def remove(self, blob: Unused, before: float) -> bool:
        """False when somebody has stored the same content again: then it stays."""
        key = key_of(blob.sha256)
        copied = time.monotonic()
        try:
            copy = f"{FOLDER}/{key}/{secrets.token_hex(8)}"
            self._bucket.copy(key, copy, blob.size)
            renewed = self._bucket.head(key).stored >= before
        except FileNotFoundError:  # another removal was faster
            return False
        if renewed or time.monotonic() - copied > SLOW_SECONDS:
            self._bucket.delete(copy)
            return False
        self._bucket.delete(key)
        return True

    def bring_back(self, sha256: str) -> bool:
        """False when it was not removed."""
        key = key_of(sha256)
        for copy in self._bucket.list(f"{FOLDER}/{key}"):
            with suppress(FileNotFoundError):  # it has just gone for good
                self._bucket.copy(copy.key, key, copy.size)
                return True
        return False

    def settle(self, used: Used, before: float, threads: Executor) -> None:
        """What was removed before a POSIX time goes for good; what is used after all comes back."""
        old = (copy for copy in self._bucket.list(FOLDER) if copy.stored < before)
        while some := list(islice(old, ASKED_AT_ONCE)):
            wanted = used(list({sha256_of(copy) for copy in some}))
            list(in_order(threads, AT_ONCE, self._give_back, (copy for copy in some if sha256_of(copy) in wanted)))
            list(in_order(threads, AT_ONCE, self._bucket.delete, (copy.key for copy in some)))

    def _give_back(self, copy: Object) -> None:
        key = key_of(sha256_of(copy))
        try:
            self._bucket.head(key)
        except FileNotFoundError:
            self._bucket.copy(copy.key, key, copy.size)


def key_of(sha256: str) -> str:
    """Of a blob that `checked` has let pass."""
    return f"{sha256[:2]}/{sha256}"


def sha256_of(copy: Object) -> str:
    return copy.key.split("/")[-2]
