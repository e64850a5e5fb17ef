"""PostgreSQL hangs or is away, or a disk is full: everybody is told so in good time, and afterwards all goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from cvat_sdk import make_client, models

from cli.bootstrap import connect
from cli.rebuilding import prepare
from domain.errors import Unavailable
from domain.event import SYSTEM, Context
from infra.postgres.connection import PATIENCE_SECONDS
from infra.postgres.database import Database
from infra.postgres.embedded import EmbeddedPostgres

from ..conftest import quick_place
from ..integration.embedded_programs import is_dead
from ..waiting import wait_until
from .conftest import Served
from .load import Load
from .test_killed_scenario import PHOTOS, settled

Serve = Callable[..., Served]

PASSWORD = "correct horse battery"
MEGABYTE = 1024 * 1024


class Cluster:
    """A PostgreSQL of somebody else's: Annals is told its URL, and neither starts nor stops it."""

    def __init__(self, folder: Path) -> None:
        self.cluster = folder / "cluster"
        self._server = EmbeddedPostgres(folder)

    def start(self) -> str:
        return self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def send(self, number: int) -> list[psutil.Process]:
        """To all of its processes, which are returned. First to the one that would start others meanwhile."""
        postmaster = psutil.Process(int((self.cluster / "postmaster.pid").read_text().split()[0]))
        postmaster.send_signal(signal.SIGSTOP)
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        return processes

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Takes connections, says nothing: for a client the same as a network that swallows everything."""
        self.send(signal.SIGSTOP)
        try:
            yield
        finally:
            self.send(signal.SIGCONT)

    @contextmanager
    def dead(self) -> Iterator[None]:
        killed = self.send(signal.SIGKILL)
        wait_until(lambda: all(is_dead(process.pid) for process in killed))  # until then one of them may answer
        yield
        self.start()


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where PostgreSQL's own account may go, too."""
    with tempfile.TemporaryDirectory(prefix="annals-test-", dir=quick_place(), ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture
def cluster(folder: Path) -> Iterator[Cluster]:
    cluster = Cluster(folder / "elsewhere")
    yield cluster
    cluster.stop()


@pytest.fixture
def small_disk(data_folder: Path) -> Iterator[Callable[[Path, int], Path]]:
    """Makes a folder with a file system of its own, of so many megabytes; skips where that is not allowed. Taken away
    before the data folder, which could not be removed while something is mounted in it.
    """
    mounted: list[Path] = []

    def mount(place: Path, megabytes: int) -> Path:
        place.mkdir(parents=True)
        place.parent.chmod(0o701)
        options = ["-t", "tmpfs", "-o", f"size={megabytes}m,mode=700"]
        done = subprocess.run(
            ["mount", *options, "annals-test", str(place)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            pytest.skip(f"a small file system can't be mounted here: {done.stderr.strip()}")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def check_outage(server: Served, outage: AbstractContextManager[None], seconds: float) -> None:
    """Under load. Reads and writes are refused while it lasts, which is until they are; afterwards they are served."""
    with server.http() as http, Load(server) as load:
        began = time.monotonic()
        wait_until(lambda: load.everybody_since(began))
        with outage:
            until = time.monotonic() + seconds
            while True:
                check_refused(http.get("/api/tasks"))
                check_refused(http.post("/api/tasks", json={"name": "not now", "labels": []}))
                if time.monotonic() > until:
                    break
        resumed = time.monotonic()
        wait_until(lambda: http.get("/api/tasks").status_code == 200)
        wait_until(lambda: load.everybody_since(resumed))
    assert load.answers[503] > 0
    load.check(server)


def check_refused(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["detail"].startswith("PostgreSQL does not answer: ")


def check_whole(server: Served, **settings: str) -> None:
    """An agent takes up work, the forwarder forwards, and everything is equal. None of them was started anew."""
    assert upload(server) == len(PHOTOS)
    proof = server.verify("--blobs", **settings)
    assert proof.returncode == 0, proof.stdout
    assert "not forwarded yet" not in proof.stdout
    assert "has ended" not in server.said()


def upload(server: Served) -> int:
    """Makes a task of photos. Returns how many it has."""
    password = (server.data / "admin-password").read_text().strip()
    with make_client(server.url, credentials=("admin", password)) as client:
        spec = models.TaskWriteRequest(name="photos", labels=[models.PatchedLabelRequest(name="cat")], segment_size=4)
        task = client.tasks.create_from_data(spec=spec, resources=PHOTOS, data_params={"image_quality": 70})
        return int(task.size)


@pytest.mark.parametrize("way", ["hanging", "dead"])
@pytest.mark.parametrize("seconds", [3.0, pytest.param(30.0, marks=pytest.mark.soak)])
def test_while_postgres_is_gone_everybody_is_told_and_afterwards_all_goes_on(
    serve: Serve, cluster: Cluster, way: str, seconds: float
) -> None:
    elsewhere = {"ANNALS_DATABASE_URL": cluster.start()}
    server = serve(**elsewhere).ready()
    check_outage(server, getattr(cluster, way)(), seconds)
    check_whole(server, **elsewhere)


def test_who_follows_the_log_follows_it_through_an_outage(cluster: Cluster) -> None:
    url = cluster.start()
    prepare(url)
    system = connect(url)
    try:
        first = system.app.users.register(Context(SYSTEM), "before", PASSWORD)
        with ExitStack() as following:
            with cluster.dead():
                wait_until(lambda: is_away(system.database))
                subscription = following.enter_context(system.app.recorder.subscribe())
                wait_until(lambda: is_away(system.database))  # and what it has asked for, it was refused
            wait_until(lambda: not is_away(system.database))
            second = system.app.users.register(Context(SYSTEM), "after", PASSWORD)
            assert [next(subscription).originator_id for _ in (1, 2)] == [f"user-{first}", f"user-{second}"]
    finally:
        system.close()


def is_away(database: Database) -> bool:
    try:
        database.query("SELECT 1")
    except Unavailable:
        return True
    return False


def test_a_slow_answer_is_waited_for(database_url: str) -> None:
    """Only a server that does not even greet newcomers is given up."""
    database = Database(database_url, 1).open()
    try:
        assert database.query_one("SELECT pg_sleep(%s)", (PATIENCE_SECONDS + 0.5,)) is not None
    finally:
        database.close()


def test_a_full_blob_store_is_said_and_nothing_is_half_stored(
    small_disk: Callable[[Path, int], Path], serve: Serve, data_folder: Path
) -> None:
    """507, with `Retry-After`: the request was right, and will be when there is space again."""
    blobs = small_disk(data_folder / "blobs", 4)
    server = serve().ready()
    with server.http() as http:
        task = http.post("/api/tasks", json={"name": "large", "labels": [{"name": "cat"}]}).json()["id"]
        with ballast(blobs, leave=MEGABYTE // 2):
            before = stored(blobs)
            for size in (2 * MEGABYTE, 900_000):  # larger than what is kept in memory, and smaller
                refused = send_file(http, task, os.urandom(size))
                assert (refused.status_code, refused.headers["Retry-After"]) == (507, "2"), refused.text
                assert refused.json() == {"detail": "The disk is full: No space left on device"}
            assert stored(blobs) == before
            assert http.get(f"/api/tasks/{task}").json().get("size") is None
        assert send_file(http, task, PHOTOS[0].read_bytes()).status_code == 202
        wait_until(lambda: settled(http, task))
        assert http.get(f"/api/tasks/{task}").json()["size"] == 1
    proof = server.verify("--blobs")
    assert proof.returncode == 0, proof.stdout


@pytest.mark.soak  # how long it takes to fill what PostgreSQL has reserved depends on the machine
def test_a_full_disk_of_the_database_is_said_and_harms_nothing(
    small_disk: Callable[[Path, int], Path], serve: Serve, data_folder: Path
) -> None:
    disk = small_disk(data_folder / "postgres", 250)
    server = serve().ready()
    with server.http() as http, Load(server) as load:
        wait_until(lambda: load.everybody_since(0.0))
        with ballast(disk):
            # Whichever comes first: a table that can't grow is an error, a log of PostgreSQL's own that can't is its
            # end; it is started again and again, and can't before there is space.
            wait_until(lambda: said_to(http).startswith("PostgreSQL "))
            with suppress(psycopg.Error), psycopg.connect(str(running_url(data_folder)), connect_timeout=2) as admin:
                admin.execute("SELECT pg_switch_wal()")
            wait_until(lambda: "PANIC" in database_log(data_folder))
            assert said_to(http).startswith("PostgreSQL ")
        resumed = time.monotonic()
        wait_until(lambda: load.everybody_since(resumed))
    load.check(server)
    check_whole(server)


def said_to(http: httpx.Client) -> str:
    """How a task is refused; empty when it is not."""
    answer = http.post("/api/tasks", json={"name": "n" * 200, "labels": []})
    assert answer.status_code in (201, 503), answer.text
    return "" if answer.status_code == 201 else str(answer.json()["detail"])


def running_url(data: Path) -> str | None:
    return EmbeddedPostgres(data / "postgres").running_url()


def database_log(data: Path) -> str:
    return "".join(path.read_text() for path in (data / "postgres" / "log").glob("*.log"))


@contextmanager
def ballast(disk: Path, leave: int = 0) -> Iterator[None]:
    """The disk is full, but for so many bytes."""
    found = os.statvfs(disk)
    file = disk / "ballast"
    with file.open("wb") as out, suppress(OSError):
        os.posix_fallocate(out.fileno(), 0, found.f_bavail * found.f_frsize - leave)
    yield
    file.unlink()


def stored(blobs: Path) -> set[Path]:
    """Every file, staged ones too."""
    return {path for path in blobs.rglob("*") if path.is_file() and path.name not in ("owner", "lock")}


def send_file(http: httpx.Client, task: int, content: bytes) -> httpx.Response:
    form = {"image_quality": "70"}
    return http.post(f"/api/tasks/{task}/data", data=form, files={"client_files[0]": ("one.jpg", content)})
