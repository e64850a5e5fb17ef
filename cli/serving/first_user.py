"""The first user: `admin`, made when there is none yet."""

from __future__ import annotations

from cli.bootstrap import System, connect
from cli.database import make_data_folder
from cli.serving.secret_file import kept_secret
from domain.event import SYSTEM, Context
from infra.settings import Settings

USERNAME = "admin"
FIRST_USER_LOCK = 0x41646D  # "Adm"


def ensure_first_user(settings: Settings, database_url: str) -> str:
    """Makes `admin` unless there are users already. Returns where the password is, in words; never the password."""
    system = connect(database_url, 2)
    try:
        # Two servers that start on one new database would both find it empty.
        with system.database.connect() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (FIRST_USER_LOCK,))
            if connection.execute("SELECT 1 FROM users LIMIT 1").fetchone() is None:
                _register(system, settings)
    finally:
        system.close()
    return _whereabouts(settings)


def admin_password(settings: Settings) -> str | None:
    """The password that `admin` was given at the first start, if it is known here."""
    if settings.admin_password_file.exists():
        return settings.admin_password_file.read_text().strip()
    return settings.admin_password


def _register(system: System, settings: Settings) -> None:
    password = settings.admin_password
    if password is None:
        make_data_folder(settings.data)
        # Kept before it is recorded: after a crash in between the file is there already, and is used.
        password = kept_secret(settings.admin_password_file)
    system.app.users.register(Context(SYSTEM, source="server"), USERNAME, password, is_admin=True)


def _whereabouts(settings: Settings) -> str:
    if settings.admin_password_file.exists():
        return f"password in {settings.admin_password_file}"
    return "password as set at the first start"
