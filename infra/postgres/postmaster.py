"""The running server: find its main process, start it, wait for it, stop it, clear up after its violent death."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from domain.errors import Unavailable
from infra.postgres.folder import ENVIRONMENT, PORT, ServerFolder

POLL_SECONDS = 0.01
ORPHAN_TIMEOUT = 10.0
PID_LINE, SOCKET_LINE, STATUS_LINE = 0, 4, 7


@dataclass(frozen=True, slots=True)
class PidFile:
    """What a postmaster tells about itself in `postmaster.pid`."""

    pid: int
    socket_folder: Path
    status: str

    @property
    def ready(self) -> bool:
        return self.status == "ready"


def read_pid_file(folder: ServerFolder) -> PidFile | None:
    """The file's contents; None when there is none, or not yet a whole one."""
    try:
        lines = [line.strip() for line in (folder.cluster / "postmaster.pid").read_text().splitlines()]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise Unavailable(f"The PostgreSQL folder {folder.root} belongs to somebody else") from error
    if not lines or not lines[PID_LINE].lstrip("-").isdigit():
        return None
    lines += [""] * (STATUS_LINE + 1 - len(lines))
    return PidFile(abs(int(lines[PID_LINE])), Path(lines[SOCKET_LINE]), lines[STATUS_LINE])


def find(folder: ServerFolder) -> psutil.Process | None:
    """The living postmaster of this folder.

    The number in the file is not trusted: after a crash another process may have got it (in a container that starts
    again, it is likely to), so the process must also have been started for this folder.
    """
    entry = read_pid_file(folder)
    if entry is None:
        return None
    try:
        process = psutil.Process(entry.pid)
        ours = str(folder.cluster) in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return None
    except psutil.AccessDenied as error:
        raise Unavailable(
            f"Process {entry.pid}, named in {folder.cluster}/postmaster.pid, can't be examined"
        ) from error
    return process if ours else None


def launch(folder: ServerFolder) -> subprocess.Popen[bytes]:
    """Start the postmaster in a session of its own, so that Ctrl-C in a terminal stops our processes first."""
    with folder.start_log.open("wb") as output:
        return subprocess.Popen(
            folder.command(),
            cwd=folder.root,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            umask=0o077,
            user=folder.account.uid if folder.account else None,
            group=folder.account.gid if folder.account else None,
            extra_groups=() if folder.account else None,
        )


def wait_ready(folder: ServerFolder, pid: int, timeout: float) -> PidFile:
    """Wait until the postmaster takes connections; crash recovery may come first. Unavailable when it does not."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        entry = read_pid_file(folder)
        if entry is not None and entry.pid == pid and entry.ready:
            return entry
        if _has_ended(pid):
            raise Unavailable(f"PostgreSQL in {folder.root} did not start: {folder.last_words()}")
        time.sleep(POLL_SECONDS)
    raise Unavailable(f"PostgreSQL in {folder.root} was not ready after {timeout:.0f} s: {folder.last_words()}")


def stop(process: psutil.Process, timeout: float, hurried: Callable[[], bool] = lambda: False) -> None:
    """Fast shutdown: roll back open transactions, write a checkpoint, end. Without success, and as soon as it is
    `hurried`: end at once, safely; the next start recovers.
    """
    for sign, impatient in ((signal.SIGINT, hurried), (signal.SIGQUIT, lambda: False)):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(sign)
        if not _wait_for_end([process], timeout, impatient):
            return
    raise Unavailable(f"PostgreSQL (process {process.pid}) does not stop")


def clear_leftovers(folder: ServerFolder) -> None:
    """Remove what a killed postmaster left: backends that still run, and files that name its process.

    Call it only with the control lock held and `find` answering None. The backends must be gone first: they write to
    the memory and the files that the next postmaster is about to recover.
    """
    pid_file = folder.cluster / "postmaster.pid"
    if not pid_file.exists():
        return
    orphans = [process for process in psutil.process_iter() if _works_in(process, folder.cluster)]
    for process in orphans:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    if alive := _wait_for_end(orphans, ORPHAN_TIMEOUT):
        raise Unavailable(f"PostgreSQL processes {[process.pid for process in alive]} of {folder.root} do not end")
    # PostgreSQL would refuse to start when another process has got the number that these files name.
    for path in (pid_file, *(folder.socket_folder / f".s.PGSQL.{PORT}{end}" for end in ("", ".lock"))):
        path.unlink(missing_ok=True)


def _works_in(process: psutil.Process, cluster: Path) -> bool:
    try:
        return bool(process.name() == "postgres" and process.cwd() == str(cluster))
    except psutil.Error:
        return False


def _wait_for_end(
    processes: list[psutil.Process], timeout: float, impatient: Callable[[], bool] = lambda: False
) -> list[psutil.Process]:
    """Wait for all; the answer is those that still live. A zombie is dead, even if no parent ever looks at it."""
    deadline = time.monotonic() + timeout
    while alive := [process for process in processes if not _has_ended(process.pid)]:
        if time.monotonic() > deadline or impatient():
            break
        time.sleep(POLL_SECONDS)
    return alive


def _has_ended(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
