"""Secrets that Annals makes up for itself, each in a file that only the owner can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

RANDOM_BYTES = 15


def kept_secret(path: Path) -> str:
    """The secret in the file; made up and durably written at the first call."""
    if path.exists():
        return path.read_text().strip()
    secret = secrets.token_urlsafe(RANDOM_BYTES)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    return secret
