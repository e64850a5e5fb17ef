"""S3 over TLS: only a server whose certificate somebody vouches for is trusted."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from domain.errors import Unavailable
from infra.blobs.s3.blobs import S3Blobs
from infra.blobs.s3.bucket import Bucket
from infra.blobs.s3.copies import LocalCopies
from infra.blobs.s3.location import parse_location
from tests.s3.server import S3Server


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its certificate; beside it one of localhost that it has signed (`host.pem`), and the key of that."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    _certify(folder, "authority", "basicConstraints=critical,CA:TRUE")
    signed = ["-CA", "authority.pem", "-CAkey", "authority.key", "-addext", "basicConstraints=critical,CA:FALSE"]
    _certify(folder, "host", "subjectAltName=DNS:localhost", *signed)
    return folder / "authority.pem"


def _certify(folder: Path, name: str, extension: str, *options: str) -> None:
    request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    files = ["-keyout", f"{name}.key", "-out", f"{name}.pem"]
    command = ["openssl", *request, "-addext", extension, *options, *files]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)


@pytest.fixture
def tls_url(s3_server: S3Server, authority: Path) -> Iterator[str]:
    """Of the server, behind one that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.with_name("host.pem"), authority.with_name("host.key"))
    target = s3_server.endpoint.removeprefix("http://").split(":")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, context, (target[0], int(target[1]))), daemon=True).start()
        yield s3_server.new_url(f"https://localhost:{listener.getsockname()[1]}")
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, context: ssl.SSLContext, target: tuple[str, int]) -> None:
    with suppress(OSError):
        while True:
            plain, _ = listener.accept()
            with suppress(OSError):
                client = context.wrap_socket(plain, server_side=True)
                server = socket.create_connection(target)
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=_pump, args=pair, daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


def test_a_certificate_that_is_vouched_for_is_trusted(
    tls_url: str, authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority))
    store = S3Blobs(Bucket(parse_location(tls_url)), LocalCopies(tmp_path / "one", 1 << 30), 0)
    blob = store.put([b"over TLS"])
    other = S3Blobs(Bucket(parse_location(tls_url)), LocalCopies(tmp_path / "another", 1 << 30), 0)
    assert other.path(blob.sha256).read_bytes() == b"over TLS"


def test_any_other_is_not(tls_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    monkeypatch.setattr("infra.blobs.s3.bucket.RETRY", {"max_retries": 0})
    store = S3Blobs(Bucket(parse_location(tls_url)), LocalCopies(tmp_path, 1 << 30), 0)
    with pytest.raises(Unavailable, match="can't be reached"):
        store.put([b"over TLS"])
