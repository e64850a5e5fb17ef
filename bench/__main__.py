"""`python -m bench [SCENARIO …]`: measures, prints, and (when all are run) rewrites docs/benchmarks.md."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from bench.report import Section, markdown

SCENARIOS = (
    "startup",
    "creation",
    "chunks",
    "log",
    "submit",
    "reads",
    "large_task",
    "formats",
    "log_stream",
    "history",
    "analytics",
    "forwarding",
    "replay",
)
TARGET = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def main(names: list[str]) -> None:
    sections: list[Section] = []
    for name in names or SCENARIOS:
        print(f"{name} …", file=sys.stderr, flush=True)
        sections.append(importlib.import_module(f"bench.scenarios.{name}").measure())
        print(markdown(sections[-1:]).split("\n## ", 1)[1])
    if not names:
        TARGET.write_text(markdown(sections))
        print(f"written to {TARGET}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
