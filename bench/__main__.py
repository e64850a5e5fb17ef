"""`python -m bench [SCENARIO …]`: measures, prints, and puts that into docs/benchmarks.md."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from bench.report import text_of, with_sections

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
    texts = []
    for name in names or SCENARIOS:
        print(f"{name} …", file=sys.stderr, flush=True)
        texts.append(text_of(importlib.import_module(f"bench.scenarios.{name}").measure()))
        print(texts[-1])
    TARGET.write_text(with_sections(TARGET.read_text() if names else "", texts))
    print(f"written to {TARGET}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
