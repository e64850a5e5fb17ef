"""The log itself, through the application layer with inline projections: no HTTP, 32 writers in 1 or 2 processes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from bench.report import Figure, Section
from bench.scenarios.submit import Jobs
from bench.scenarios.tasks import client_of, create, tiny_pictures
from bench.server import Server, running
from bench.yardstick import yardstick

SECONDS = 5.0
WRITERS = 32
KINDS = {"state": "a job's state changes", "tag": "a submit of one tag", "drawing": "a submit of 10 rectangles"}
GOAL = "≥ 1.5"


def measure() -> Section:
    with running(workers=1) as server, tempfile.TemporaryDirectory() as folder:
        jobs = Jobs(create(client_of(server), tiny_pictures(Path(folder), 100), 1))
        yard = yardstick(server.database_url)
        figures = [
            _figure(f"{what}, {WRITERS} writers in {processes}", write(server, jobs, kind, processes), yard)
            for kind, what in KINDS.items()
            for processes in (1, 2)
        ]
    return Section("The log, through the application layer", yard, figures)


def write(server: Server, jobs: Jobs, kind: str, processes: int) -> float:
    """Commands per second of all processes."""
    arguments = [server.database_url, kind, str(WRITERS // processes), str(SECONDS), str(jobs.label)]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.writers", *arguments, *map(str, jobs.ids[number::processes])],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    return sum(float(process.communicate()[0]) for process in running)


def _figure(what: str, rate: float, yard: float) -> Figure:
    return Figure(what, f"{rate:,.0f}/s", rate / yard, GOAL)
