"""How many files and sockets a process may have open."""

from __future__ import annotations

import resource

OPEN_FILES = 16_384
"""Far more than the 1,024 that shells and systemd let a process have unless it asks for more."""


def allow_open_files() -> None:
    """Asks for OPEN_FILES, or for as many as the machine allows. Who may have more already keeps that."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if now != resource.RLIM_INFINITY and now < OPEN_FILES:
        wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
