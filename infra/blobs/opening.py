"""The one place that knows which store a URL stands for."""

from __future__ import annotations

from pathlib import Path

from infra.blobs.files import WRITING_THREADS, FileBlobs
from infra.blobs.store import BlobStore
from infra.settings import Settings


def open_blobs(settings: Settings, writing_threads: int = WRITING_THREADS) -> BlobStore:
    """Of uploaded media. `writing_threads`: 0 for one who reads files rather than waits for them to come in.

    Raises Invalid for a URL that can't be right; whether anybody answers there is seen when something is asked for.
    """
    return _open(settings, settings.blobs_url, "blobs", settings.blobs, writing_threads)


def open_exchange(settings: Settings) -> BlobStore:
    """Of files that come and go: what exports make, and what waits to be imported."""
    return _open(settings, settings.blobs_url, "exchange", settings.exchange, WRITING_THREADS)


def open_target(settings: Settings, to: str) -> BlobStore:
    """Another store of uploaded media than the settings': a URL, or a folder."""
    folder = Path(to).expanduser()
    return _open(settings, to if "://" in to else None, "blobs", folder, 0)


def _open(settings: Settings, url: str | None, name: str, folder: Path, writing_threads: int) -> BlobStore:
    if url is None:
        return FileBlobs(folder, writing_threads)
    # Here, not above: who keeps files need not load it.
    from infra.blobs.s3.blobs import S3Blobs
    from infra.blobs.s3.bucket import Bucket
    from infra.blobs.s3.copies import LocalCopies
    from infra.blobs.s3.location import parse_location

    bucket = Bucket(parse_location(url).below(name))
    return S3Blobs(bucket, LocalCopies(settings.cache / name, settings.blob_cache_bytes), writing_threads)
