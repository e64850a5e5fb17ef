"""How many files and sockets a process may have open."""

from __future__ import annotations

import resource

OPEN_FILES = 16_384
"""Far more than the 1,024 that shells and systemd let a process have unless it asks for more."""


def allow_open_files() -> None:
    """Asks for OPEN_FILES, or for as many as the machine allows."""
    wanted, most = OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))
