"""Fills an empty database with a campaign: `python -m tests.campaign URL --people 100 --events 1000000`."""

from __future__ import annotations

import argparse
import sys
from time import monotonic

from cli.bootstrap import connect

from . import simulate


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("url")
    for name, default in (("people", 20), ("days", 3), ("events", 20_000), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    system = connect(given.url)
    began = monotonic()
    summary = simulate(system, given.people, given.days, given.events, given.seed)
    system.close()
    seconds = monotonic() - began
    sys.stdout.write(f"{summary.events:,} events in {seconds:.1f} s: {summary.events / seconds:,.0f}/s\n")


if __name__ == "__main__":
    main()
