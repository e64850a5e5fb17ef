"""Blob stores of each kind, with nothing in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.blobs import BlobStore, open_blobs
from infra.blobs.s3.blobs import S3Blobs
from infra.blobs.s3.bucket import Bucket
from infra.blobs.s3.copies import LocalCopies
from infra.blobs.s3.location import parse_location
from infra.settings import Settings
from tests.s3.proxy import Proxy, running_proxy
from tests.s3.server import S3Server, running_server

Machine = Callable[[str], S3Blobs]


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    with running_server() as server:
        yield server


@pytest.fixture
def s3_url(s3_server: S3Server) -> str:
    return s3_server.new_url()


@pytest.fixture
def bucket(s3_url: str) -> Bucket:
    """What the stores of `machine` and `s3` share."""
    return Bucket(parse_location(s3_url).below("blobs"))


@pytest.fixture
def machine(bucket: Bucket, tmp_path: Path) -> Machine:
    """Each name is a machine with a disk of its own; all share a bucket."""
    return lambda name: S3Blobs(bucket, LocalCopies(tmp_path / name, 1 << 30), 4)


@pytest.fixture
def s3(machine: Machine) -> S3Blobs:
    return machine("a machine")


@pytest.fixture(params=["files", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    """What the settings' URL stands for."""
    url = request.getfixturevalue("s3_url") if request.param == "s3" else None
    return open_blobs(Settings(data=tmp_path, blobs_url=url))


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[Proxy]:
    with running_proxy(s3_server.endpoint) as proxy:
        yield proxy
