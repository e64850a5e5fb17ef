"""From `annals serve` to the first answer, and what an idle server holds in memory."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.report import Figure, Section
from bench.server import running
from bench.yardstick import yardstick


def measure() -> Section:
    fresh, again, memory, yard = [], [], "", 0.0
    for _ in range(3):
        folder = Path(tempfile.mkdtemp(prefix="annals-bench-"))
        with running(workers=1, data=folder) as server:
            fresh.append(server.ready_seconds)
        with running(workers=1, data=folder) as server:
            again.append(server.ready_seconds)
            time.sleep(5)
            memory = _memory(folder)
            yard = yardstick(server.database_url)
        shutil.rmtree(folder, ignore_errors=True)
    figures = [
        Figure("first answer, fresh folder", f"{sorted(fresh)[1]:.1f} s (median of 3)", None, "≤ 6 s"),
        Figure("first answer, existing folder", f"{sorted(again)[1]:.1f} s (median of 3)", None, "≤ 3 s"),
        Figure("memory of all processes, idle", memory, None, "≤ 1,024 MiB (CVAT: 3,480 MiB)"),
    ]
    return Section("Start and memory", yard, figures)


def _memory(folder: Path) -> str:
    """As `annals doctor` adds it up."""
    command = [sys.executable, "-m", "cli.main", "doctor", "--data", str(folder), "--json"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    report = {(line["topic"], line["name"]): line["value"] for line in map(json.loads, lines)}
    return str(report["memory", "sum"])
