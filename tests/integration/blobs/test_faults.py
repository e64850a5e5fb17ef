"""An S3 server, or the way to it, that fails: what is acknowledged is stored, and nobody waits for ever."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from domain.errors import Unavailable
from infra.blobs import SMALL, Blob
from infra.blobs.s3 import bucket as bucket_module
from infra.blobs.s3.blobs import SMALL_AT_ONCE, S3Blobs
from infra.blobs.s3.bucket import Bucket
from infra.blobs.s3.copies import LocalCopies
from infra.blobs.s3.location import parse_location
from tests.s3.proxy import FAILS, GOES_WRONG, HANGS, Fault, Proxy
from tests.s3.server import CREDENTIALS, S3Server

from ...waiting import wait_until
from .test_stores import HELLO

REPOSITORY = Path(__file__).parents[3]
LARGE = os.urandom(12 * SMALL)
QUICK_RETRY = {
    "max_retries": 6,
    "retry_timeout": timedelta(seconds=20),
    "backoff": {"init_backoff": timedelta(milliseconds=5), "max_backoff": timedelta(milliseconds=50), "base": 2},
}
PATIENT_CLIENT = bucket_module.CLIENT
QUICK_CLIENT = {"connect_timeout": "1s", "timeout": "2s", "read_timeout": "1s"}


@pytest.fixture
def through(
    s3_server: S3Server, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], S3Blobs]:
    """Machines whose way to one place in the server goes through the proxy; none of them is patient."""
    monkeypatch.setattr(bucket_module, "RETRY", QUICK_RETRY)
    monkeypatch.setattr(bucket_module, "CLIENT", QUICK_CLIENT)
    location = parse_location(s3_server.new_url(proxy.endpoint))
    return lambda name: S3Blobs(Bucket(location), LocalCopies(tmp_path / name, 1 << 30), 0)


@pytest.mark.parametrize(
    "faults",
    [[FAILS] * 3, [GOES_WRONG] * 3, [HANGS], [Fault(resets_after=0)] * 3, [Fault(resets_after=40)]],
    ids=["503", "500", "hangs", "resets", "resets in the answer"],
)
def test_a_passing_fault_is_not_noticed(through: Callable[[str], S3Blobs], proxy: Proxy, faults: list[Fault]) -> None:
    for fault in faults:
        proxy.plan.put(fault)
    assert through("one").put([b"hello"]) == Blob(HELLO, 5)
    assert proxy.plan.empty()
    for fault in faults:
        proxy.plan.put(fault)
    assert through("another").path(HELLO).read_bytes() == b"hello"
    assert proxy.plan.empty()


@pytest.mark.parametrize("at", [1_000, 3 * SMALL, 9 * SMALL])
def test_a_connection_that_breaks_in_a_large_body_is_taken_up(
    through: Callable[[str], S3Blobs], proxy: Proxy, at: int
) -> None:
    proxy.plan.put(Fault(resets_after=at, sent=True))
    blob = through("one").put([LARGE])
    proxy.plan.put(Fault(resets_after=at))
    assert through("another").path(blob.sha256).read_bytes() == LARGE
    assert proxy.plan.empty()


@pytest.mark.skipif("TEST_S3_URL" not in os.environ, reason="moto does not look at signatures")
def test_what_is_damaged_on_its_way_is_refused(through: Callable[[str], S3Blobs], proxy: Proxy) -> None:
    content = os.urandom(3 * SMALL)
    store = through("one")
    proxy.plan.put(Fault(flips=2 * SMALL))
    with pytest.raises(Unavailable, match="400 Bad Request"):
        store.put([content])
    assert not store.exists(hashlib.sha256(content).hexdigest())


def test_a_body_that_stalls_is_taken_up(through: Callable[[str], S3Blobs], proxy: Proxy) -> None:
    blob = through("one").put([LARGE])
    proxy.plan.put(Fault(hangs_after=5 * SMALL))
    assert through("another").path(blob.sha256).read_bytes() == LARGE


@pytest.mark.parametrize("content", [b"hello", LARGE], ids=["small", "large"])
def test_a_fault_that_stays_is_told_and_nothing_is_stored(
    through: Callable[[str], S3Blobs], proxy: Proxy, content: bytes
) -> None:
    store = through("one")
    for _ in range(200):
        proxy.plan.put(FAILS)
    with pytest.raises(Unavailable, match="503"):
        store.put([content])
    assert not proxy.plan.empty(), "it gives up before that"
    while not proxy.plan.empty():
        proxy.plan.get()
    assert not store.exists(hashlib.sha256(content).hexdigest())
    assert store.put([content]).size == len(content)


def test_one_of_many_that_fails_fails_all(through: Callable[[str], S3Blobs], proxy: Proxy) -> None:
    store = through("one")
    writers = [store.writer() for _ in range(40)]
    for number, writer in enumerate(writers):
        writer.write(b"%d" % number)
    for _ in range(300):
        proxy.plan.put(GOES_WRONG)
    with pytest.raises(Unavailable):
        store.commit(writers)
    with pytest.raises(Unavailable, match="disk"):  # where nothing is left to try again with
        store.commit(writers)


def test_nobody_at_the_address(through: Callable[[str], S3Blobs], proxy: Proxy) -> None:
    store = through("one")
    proxy.close()
    for ask in (store.size, store.path, store.exists, store.verify):
        with pytest.raises(Unavailable, match="can't be reached"):
            ask(HELLO)
    with pytest.raises(Unavailable, match="can't be reached"):
        store.usage()


@pytest.mark.parametrize("ask", ["exists", "size", "verify", "put", "usage"])
def test_a_bucket_that_does_not_exist_is_not_taken_for_an_empty_one(
    s3_server: S3Server, tmp_path: Path, ask: str
) -> None:
    url = s3_server.new_url().replace(s3_server.bucket, "no-such-bucket")
    store = S3Blobs(Bucket(parse_location(url)), LocalCopies(tmp_path, 1 << 30), 0)
    with pytest.raises(Unavailable):
        {"put": lambda: store.put([b"hello"]), "usage": store.usage}.get(ask, lambda: getattr(store, ask)(HELLO))()


def test_many_are_sent_side_by_side_and_their_number_is_bounded(
    through: Callable[[str], S3Blobs], proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket_module, "CLIENT", PATIENT_CLIENT)  # who asks again connects once more
    store = through("one")
    writers = [store.writer() for _ in range(300)]
    for number, writer in enumerate(writers):
        writer.write(b"%d" % number)
    store.commit(writers)
    assert SMALL_AT_ONCE / 4 <= proxy.most <= 2 * SMALL_AT_ONCE  # old ones may still be closing


def test_credentials_that_can_not_be_read_are_told_at_once(
    s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "nothing"))
    with pytest.raises(Unavailable, match=r"profile default can be read from .*nothing"):
        Bucket(parse_location(s3_server.new_url()))


def test_credentials_come_from_a_file(s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "file"))
    (tmp_path / "file").write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
    store = S3Blobs(Bucket(parse_location(s3_server.new_url())), LocalCopies(tmp_path / "copies", 1 << 30), 0)
    assert store.put([b"hello"]) == Blob(HELLO, 5)


def test_no_secret_is_in_an_error(through: Callable[[str], S3Blobs], proxy: Proxy) -> None:
    store = through("one")
    body = "<Error><Code>SignatureDoesNotMatch</Code><Message>{}</Message></Error>".format(
        " ".join(CREDENTIALS.values())
    )
    answer = f"HTTP/1.1 403 Forbidden\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
    proxy.plan.put(Fault(answer=answer.encode()))
    with pytest.raises(Unavailable, match="403 Forbidden SignatureDoesNotMatch") as caught:
        store.put([b"hello"])
    told = "".join(traceback.format_exception(caught.value))
    assert not [secret for secret in CREDENTIALS.values() if secret in told]


def test_a_full_store_is_said_so(through: Callable[[str], S3Blobs], proxy: Proxy) -> None:
    store = through("one")
    for _ in range(20):
        proxy.plan.put(
            Fault(answer=b"HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        )
    with pytest.raises(Unavailable, match="The blob store is full"):
        store.put([b"hello"])


def test_what_comes_damaged_from_the_store_is_refused_and_not_kept(
    through: Callable[[str], S3Blobs], tmp_path: Path
) -> None:
    store = through("one")
    store.put([b"hello"])
    (tmp_path / "other").write_bytes(b"hellO")
    store._bucket.put(f"{HELLO[:2]}/{HELLO}", tmp_path / "other", 5)
    assert not store.verify(HELLO)
    for _ in range(2):
        with pytest.raises(Unavailable, match="another content"):
            through("another").path(HELLO)
    store.put([b"hello"])
    assert through("another").path(HELLO).read_bytes() == b"hello"


def test_a_damaged_file_is_not_adopted(through: Callable[[str], S3Blobs], tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"hellO")
    store = through("one")
    with pytest.raises(Unavailable, match="damaged"):
        store.adopt([(HELLO, tmp_path / "other")])
    assert not store.exists(HELLO)


UPLOADING = """
import sys
from pathlib import Path
from infra.blobs.s3.blobs import S3Blobs
from infra.blobs.s3.bucket import Bucket
from infra.blobs.s3.copies import LocalCopies
from infra.blobs.s3.location import parse_location
store = S3Blobs(Bucket(parse_location(sys.argv[1])), LocalCopies(Path(sys.argv[2]), 1 << 30), 0)
print("ready", flush=True)
store.put(bytes([number]) * (1 << 20) for number in range(40))
"""


def test_nothing_counts_that_a_killed_process_was_sending(s3_server: S3Server, proxy: Proxy, tmp_path: Path) -> None:
    for _ in range(20):
        proxy.plan.put(Fault(hangs_after=9 * SMALL, sent=True))
    url = s3_server.new_url(proxy.endpoint)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *filter(None, sys.path)])}
    command = [sys.executable, "-c", UPLOADING, url, str(tmp_path / "copies")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        wait_until(lambda: proxy.passed >= 5 * SMALL)
        assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    direct = Bucket(parse_location(url.replace(proxy.endpoint, s3_server.endpoint)))
    store = S3Blobs(direct, LocalCopies(tmp_path / "copies", 1 << 30), 0)
    assert store.usage().blobs == 0
    assert store.clean() == 1
    assert store.clean() == 0
