"""A server that speaks S3, in a process of its own on loopback.

TEST_S3_URL (`s3://bucket?endpoint=http://127.0.0.1:7070&region=us-east-1`, with the usual AWS_… variables) has the
tests work with another one; its bucket must be there.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from tests.ports import free_port

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIAANNALSTEST", "AWS_SECRET_ACCESS_KEY": "a-secret-that-no-log-may-have"}
BUCKET = "annals-test"
START_SECONDS = 60


class S3Server:
    """`endpoint`: its address."""

    def __init__(self, bucket: str, endpoint: str) -> None:
        self.bucket, self.endpoint = bucket, endpoint

    def new_url(self, endpoint: str | None = None) -> str:
        """Of a place in it where nothing is. `endpoint`: another way to it."""
        return f"s3://{self.bucket}/{uuid.uuid4().hex}?endpoint={endpoint or self.endpoint}&region=us-east-1"


@contextmanager
def running_server() -> Iterator[S3Server]:
    if url := os.environ.get("TEST_S3_URL"):
        parts = urlsplit(url)
        yield S3Server(parts.netloc, parse_qs(parts.query)["endpoint"][0])
        return
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **CREDENTIALS},
    )
    os.environ |= CREDENTIALS
    try:
        _make_bucket(process, port)
        yield S3Server(BUCKET, f"http://127.0.0.1:{port}")
    finally:
        for name in CREDENTIALS:
            os.environ.pop(name, None)
        process.kill()
        process.wait()


def _make_bucket(process: subprocess.Popen[bytes], port: int) -> None:
    """As soon as it answers."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, "the S3 server has ended"
        assert time.monotonic() < deadline, "the S3 server does not answer"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("PUT", f"/{BUCKET}")
            assert connection.getresponse().status == 200
            return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
