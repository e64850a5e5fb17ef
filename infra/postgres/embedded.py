"""Start, share and stop the embedded server, whatever was killed before."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from domain.errors import Conflict
from infra.postgres import postmaster
from infra.postgres.folder import SERVICE_ROLE, SUPERUSER, ServerFolder
from infra.postgres.locks import FolderLock

START_TIMEOUT = 300.0  # crash recovery of a full WAL on a slow disk comes first
STOP_TIMEOUT = 30.0

log = logging.getLogger(__name__)


class EmbeddedPostgres:
    """The PostgreSQL server in a data folder.

    One supervisor owns it: `start()` … `stop()`. Commands beside it use `with attach_or_start() as url`. Whoever uses
    the server holds a shared lock that the kernel frees on any death, so the count of users is right even after
    `kill -9`: the last user stops the server. The supervisor is a user too, but does not wait for the others.
    """

    def __init__(self, data_dir: Path) -> None:
        self._folder = ServerFolder(data_dir)
        self._owner = FolderLock(self._folder.root / "owner.lock")
        self._control = FolderLock(self._folder.root / "control.lock")
        self._users = FolderLock(self._folder.root / "users.lock")
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def log_folder(self) -> Path:
        return self._folder.log_folder

    def start(self) -> str:
        """Own the folder and answer the URL of its running server.

        A server that a killed supervisor left running is taken over, or restarted when its settings are not those
        of this version. Calling it again is harmless, and starts the server anew if it has died meanwhile.

        Errors: Conflict when another process owns the folder; Unavailable, with PostgreSQL's words, when it fails.
        """
        self._folder.open()
        with self._control.hold(START_TIMEOUT):
            was_owner = self._owner.held
            self._claim()
            try:
                self._users.acquire(START_TIMEOUT, shared=True)
                return self._ensure_running(only_current=True)
            except BaseException:
                if not was_owner:
                    self._owner.release()
                    self._leave(self._users)
                raise

    def stop(self, hurried: Callable[[], bool] = lambda: False) -> None:
        """Stop the server in order (fast shutdown: nobody can go on using it) and give the folder free. As soon as it
        is `hurried` the server leaves it to its next start to put things in order.
        """
        if not self._owner.held:
            return
        with self._control.hold(START_TIMEOUT):
            try:
                self._stop_server(hurried)
            finally:
                self._users.release()
                self._owner.release()

    @contextmanager
    def attach_or_start(self) -> Iterator[str]:
        """The URL of the running server, for a command beside the supervisor.

        When nothing runs the server is started, and stopped at the end by the last command that uses it.
        """
        self._folder.open()
        use = FolderLock(self._users.path)
        with self._control.hold(START_TIMEOUT):
            use.acquire(START_TIMEOUT, shared=True)
            try:
                url = self._ensure_running(only_current=False)
            except BaseException:
                self._leave(use)
                raise
        try:
            yield url
        finally:
            with self._control.hold(START_TIMEOUT):
                self._leave(use)

    def running_url(self) -> str | None:
        """The URL of the server if it runs now; starts nothing, holds nothing."""
        entry = postmaster.read_pid_file(self._folder)
        if entry is None or not entry.ready or postmaster.find(self._folder) is None:
            return None
        return self._folder.url(entry.socket_folder)

    @staticmethod
    def as_service(url: str) -> str:
        """The same server's URL for the service, which may add to the log and never change it."""
        return url.replace(f"//{SUPERUSER}@", f"//{SERVICE_ROLE}@", 1)

    def _claim(self) -> None:
        if self._owner.held:
            return
        if not self._owner.try_acquire():
            holder = self._owner.read_note()
            raise Conflict(f"{self._folder.root} is in use by another Annals server (process {holder})")
        self._owner.note(str(os.getpid()))

    def _leave(self, use: FolderLock) -> None:
        """The last user stops the server. Only under the control lock: the probe takes the lock for a moment."""
        use.release()
        if not self._users.is_taken():
            self._stop_server()

    def _ensure_running(self, *, only_current: bool) -> str:
        process = postmaster.find(self._folder)
        if process is not None and self._must_end(process, only_current=only_current):
            postmaster.stop(process, STOP_TIMEOUT)
            process = None
        pid = self._launch() if process is None else int(process.pid)
        entry = postmaster.wait_ready(self._folder, pid, START_TIMEOUT)
        return self._folder.url(entry.socket_folder)

    def _must_end(self, process: psutil.Process, *, only_current: bool) -> bool:
        entry = postmaster.read_pid_file(self._folder)
        if entry is None or entry.status == "stopping":
            return True
        if not only_current:
            return False
        return process.cmdline() != self._folder.command() or not self._folder.is_current()

    def _launch(self) -> int:
        self._reap()
        postmaster.clear_leftovers(self._folder)
        self._folder.prepare()
        self._child = postmaster.launch(self._folder)
        log.info("PostgreSQL started in %s (process %d)", self._folder.root, self._child.pid)
        return self._child.pid

    def _stop_server(self, hurried: Callable[[], bool] = lambda: False) -> None:
        process = postmaster.find(self._folder) or self._running_child()
        if process is not None:
            postmaster.stop(process, STOP_TIMEOUT, hurried)
            log.info("PostgreSQL stopped in %s", self._folder.root)
        self._reap()
        if self._folder.socket_folder != self._folder.root:
            with contextlib.suppress(OSError):
                self._folder.socket_folder.rmdir()

    def _running_child(self) -> psutil.Process | None:
        """A postmaster of ours that has not come to writing its file."""
        self._reap()
        return psutil.Process(self._child.pid) if self._child is not None else None

    def _reap(self) -> None:
        if self._child is not None and self._child.poll() is not None:
            self._child = None
