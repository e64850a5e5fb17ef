"""From photos on the client's disk to jobs listed, with the unmodified SDK and its default polling."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.report import Figure, Section
from bench.scenarios.tasks import client_of, create, photos
from bench.server import running
from bench.yardstick import yardstick

EXAMPLES = Path(__file__).parents[2] / "examples" / "photos"


RUNS = 3


def measure() -> Section:
    """Each run on a server of its own, and each case with photos that it has not seen: nothing is stored already."""
    times: dict[str, list[float]] = {}
    goals: dict[str, str] = {}
    yard = 0.0
    for _ in range(RUNS):
        with running(workers=2) as server, tempfile.TemporaryDirectory() as folder:
            client = client_of(server)
            for what, files, segment_size, goal in _cases(Path(folder)):
                started = time.perf_counter()
                jobs = create(client, files, segment_size).get_jobs()
                times.setdefault(what, []).append(time.perf_counter() - started)
                goals[what] = goal
                assert len(jobs) == -(-len(files) // segment_size)
            yard = yardstick(server.database_url)
    figures = [
        Figure(f"create_from_data + get_jobs, {what}", f"{sorted(taken)[RUNS // 2]:.2f} s (median)", None, goals[what])
        for what, taken in times.items()
    ]
    return Section("Photos in, jobs listed", yard, figures)


def _cases(folder: Path) -> Iterator[tuple[str, list[Path], int, str]]:
    samples = sorted(path for path in EXAMPLES.iterdir() if path.suffix in (".jpg", ".png"))
    yield "7 real photos → 4 jobs", samples, 2, "≤ 0.6 s (CVAT: 5.3 s)"
    yield "100 photos of 640x480 → 10 jobs", photos(folder / "a", 100, 1), 10, "≤ 0.2 s (CVAT: 0.63 s)"
    yield "1,000 photos → 100 jobs", photos(folder / "b", 1_000, 2), 10, "≤ 0.8 s (CVAT: 2.5 s)"
    yield "1,000 photos → 1,000 jobs", photos(folder / "c", 1_000, 3), 1, "≤ 1.2 s (CVAT: 8.4 s)"
