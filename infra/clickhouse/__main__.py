"""`python -m infra.clickhouse`: the endpoint as a process. The writer's password is the first line of its input.

It says `ready HOST PORT` when it answers, and ends in order on SIGTERM or when its input ends: with its parent.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from domain.errors import Unavailable
from infra.clickhouse.server import serve


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.clickhouse", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8123, help="0 takes a free one")
    parser.add_argument("--readers", type=Path, help="file of the readers with passwords")
    parser.add_argument("--known-only", action="store_true", help="nobody reads without a password")
    options = parser.parse_args()
    password = sys.stdin.readline().rstrip("\n")
    threading.Thread(target=_end_with_input, daemon=True).start()

    def ready(port: int) -> None:
        sys.stdout.write(f"ready {options.host} {port}\n")
        sys.stdout.flush()

    try:
        serve(
            options.data,
            options.host,
            options.port,
            password,
            readers=options.readers,
            anonymous=not options.known_only,
            on_ready=ready,
        )
    except (Unavailable, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _end_with_input() -> None:
    # os.read rather than sys.stdin: a daemon thread that sits in a buffered reader upsets the interpreter's end
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
