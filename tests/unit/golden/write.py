"""Writes the golden files that are missing: `python -m tests.unit.golden.write`, from the repository's root.

A file that exists is never written again: it is what somebody's log holds.
"""

from __future__ import annotations

import sys
from pathlib import Path

from infra.eventlog.mapper import OrjsonTranscoder, body_fields

from .examples import EXAMPLES

FOLDER = Path(__file__).parent


def main() -> None:
    for name, body in EXAMPLES.items():
        path = FOLDER / f"{name}.v{body.schema_version}.json"
        if not path.exists():
            path.write_bytes(OrjsonTranscoder().encode(body_fields(body)) + b"\n")
            sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
