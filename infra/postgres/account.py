"""Running as root: PostgreSQL refuses that, so it gets an account of its own."""

from __future__ import annotations

import logging
import os
import pwd
import stat
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from domain.errors import Unavailable

ACCOUNT_NAME = "annals"
CREATE_TIMEOUT = 10.0
SEARCH_BY_OTHERS = stat.S_IXOTH
READ_BY_OTHERS = stat.S_IROTH

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Account:
    """The system account under which the server runs."""

    uid: int
    gid: int


def server_account(folder: Path) -> Account | None:
    """The account for the server in `folder`; None unless this process is root.

    A folder that belongs to an ordinary account (a mounted volume, say) stays with it; else the account `annals` is
    used, and created when there is none.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwuid(folder.stat().st_uid)
    except KeyError:
        entry = None
    if entry is None or entry.pw_uid == 0:
        entry = _find_account() or _create_account()
    return Account(entry.pw_uid, entry.pw_gid)


def hand_over(path: Path, account: Account | None) -> None:
    """Give a file or a whole folder to the account, and shut a folder (0700) against everybody else."""
    if account is not None and path.stat().st_uid != account.uid:
        for parent, folders, files in os.walk(path):
            for name in (*folders, *files):
                os.chown(os.path.join(parent, name), account.uid, account.gid, follow_symlinks=False)
        os.chown(path, account.uid, account.gid)
    if path.is_dir():
        path.chmod(0o700)


def make_reachable(path: Path, account: Account | None) -> None:
    """Let the account walk (not list) through the folders above `path`, where it can't yet."""
    if account is None:
        return
    for parent in path.parents:
        found = parent.stat()
        if not found.st_mode & SEARCH_BY_OTHERS and found.st_uid != account.uid:
            log.warning("%s: search permission for others added, so that PostgreSQL can reach %s", parent, path)
            parent.chmod(stat.S_IMODE(found.st_mode) | SEARCH_BY_OTHERS)


def make_readable(installation: Path, account: Account | None) -> None:
    """Let the account read and run the programs (a wheel installed under umask 077 forbids it)."""
    make_reachable(installation, account)
    if account is None or installation.stat().st_mode & READ_BY_OTHERS:
        return
    for path in (installation, *installation.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        path.chmod(mode | READ_BY_OTHERS | (SEARCH_BY_OTHERS if mode & stat.S_IXUSR else 0))


def _find_account() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        return None


def _create_account() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT_NAME]
    deadline = time.monotonic() + CREATE_TIMEOUT
    while True:
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=CREATE_TIMEOUT, check=False)
            reason = result.stderr.strip()
        except (OSError, subprocess.TimeoutExpired) as error:
            reason = str(error)
        # Looked up whatever useradd said: another process may have been first, or hold the lock on /etc/passwd.
        if entry := _find_account():
            return entry
        if time.monotonic() > deadline or "lock" not in reason:
            raise Unavailable(
                f"PostgreSQL can't run as root, and the account {ACCOUNT_NAME!r} could not be created ({reason}). "
                "Start Annals as an ordinary user, or give the data folder to one (chown)."
            )
        time.sleep(0.1)
