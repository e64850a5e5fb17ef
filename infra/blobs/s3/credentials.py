"""Credentials from the file that AWS's own tools read; those of the environment need nothing of ours."""

from __future__ import annotations

import configparser
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from domain.errors import Unavailable

if TYPE_CHECKING:
    from obstore.store import S3Credential

READ_AGAIN = timedelta(minutes=5)
"""So soon a file that was replaced counts."""


class CredentialsFile:
    """One profile of a file of credentials, read anew now and then: whoever renews them replaces the file."""

    def __init__(self, file: Path, profile: str) -> None:
        self._file, self._profile = file, profile

    def __call__(self) -> S3Credential:
        """Raises Unavailable when the file does not hold them; its words name the file, not what is in it."""
        parser = configparser.RawConfigParser()
        try:
            with self._file.open() as file:
                parser.read_file(file)
            found = parser[self._profile]
            return {
                "access_key_id": found["aws_access_key_id"],
                "secret_access_key": found["aws_secret_access_key"],
                "token": found.get("aws_session_token"),
                "expires_at": datetime.now(UTC) + READ_AGAIN,
            }
        except (OSError, KeyError, UnicodeDecodeError, configparser.Error):
            raise Unavailable(f"No credentials of the profile {self._profile} can be read from {self._file}") from None


def credentials_file() -> CredentialsFile | None:
    """None when the environment has credentials itself, or there is no file: then others are asked, such as the
    machine's role. A file that the environment names must be there.
    """
    if "AWS_ACCESS_KEY_ID" in os.environ:
        return None
    named = os.environ.get("AWS_SHARED_CREDENTIALS_FILE")
    file = Path(named or "~/.aws/credentials").expanduser()
    return CredentialsFile(file, os.environ.get("AWS_PROFILE") or "default") if named or file.is_file() else None
