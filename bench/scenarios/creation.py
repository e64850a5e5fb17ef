"""From photos on the client's disk to jobs listed, with the unmodified SDK and its default polling."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bench.report import Figure, Section
from bench.scenarios.tasks import client_of, create, photos
from bench.server import running
from bench.yardstick import yardstick

EXAMPLES = Path(__file__).parents[2] / "examples" / "photos"


def measure() -> Section:
    with running(workers=2) as server, tempfile.TemporaryDirectory() as folder:
        client = client_of(server)
        pictures = photos(Path(folder), 1_000)
        samples = sorted(path for path in EXAMPLES.iterdir() if path.suffix in (".jpg", ".png"))
        cases = [
            ("7 real photos → 4 jobs", samples, 2, "≤ 0.6 s (CVAT: 5.3 s)"),
            ("100 photos of 640x480 → 10 jobs", pictures[:100], 10, "≤ 0.2 s (CVAT: 0.63 s)"),
            ("1,000 photos → 100 jobs", pictures, 10, "≤ 0.8 s (CVAT: 2.5 s)"),
            ("1,000 photos → 1,000 jobs", pictures, 1, "≤ 1.2 s (CVAT: 8.4 s)"),
        ]
        figures = []
        for what, files, segment_size, goal in cases:
            times = []
            for _ in range(3):
                started = time.perf_counter()
                jobs = create(client, files, segment_size).get_jobs()
                times.append(time.perf_counter() - started)
                assert len(jobs) == -(-len(files) // segment_size)
            median = sorted(times)[1]
            figures.append(Figure(f"create_from_data + get_jobs, {what}", f"{median:.2f} s (median of 3)", None, goal))
        yard = yardstick(server.database_url)
    return Section("Photos in, jobs listed", yard, figures)
