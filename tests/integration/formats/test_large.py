"""An export of a million shapes is written as it is read."""

from __future__ import annotations

import zipfile
from xml.parsers import expat

import psutil
import pytest

from cli.bootstrap import System
from infra.settings import Settings

from ...waiting import wait_until
from ..agents.work import processes, running
from .desk import ANN, LABELS, Desk

FRAMES, ON_EACH, ROUNDS = 1_000, 100, 10
MORE_BYTES = 300 * 1024 * 1024


@pytest.mark.soak
def test_a_million_shapes_are_exported_in_little_memory(system: System, database_url: str, settings: Settings) -> None:
    desk = Desk(system, settings)
    with running(system, settings):
        task = desk.task("large", LABELS[:1], frames=FRAMES)
    label = desk.label(task, "car")
    for _ in range(ROUNDS):
        boxes = [
            {"type": "rectangle", "label_id": label, "frame": n % FRAMES, "points": [n, 2.5, n + 30, 40]}
            for n in range(FRAMES * ON_EACH)
        ]
        desk.app.annotations.create_in_task(ANN, task, {"shapes": boxes})
    with processes(1, database_url, settings) as [agent]:
        wait_until(lambda: desk.database.query(b"SELECT 1 FROM log.agents"))
        process = psutil.Process(agent.pid)
        before, peak = process.memory_info().rss, 0
        target = desk.target("task", task)
        request_id = desk.app.exports.queue(ANN, target, "CVAT for images 1.1", save_images=False)

        def ended() -> bool:
            nonlocal peak
            peak = max(peak, process.memory_info().rss)
            return desk.row(request_id)["status"] in ("finished", "failed")

        wait_until(ended, 300)
    assert desk.row(request_id)["status"] == "finished", desk.message(request_id)
    assert peak - before < MORE_BYTES
    assert _boxes(desk, desk.result(request_id)["sha256"]) == FRAMES * ON_EACH * ROUNDS


def _boxes(desk: Desk, sha256: str) -> int:
    count = 0

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal count
        count += name == "box"

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    with zipfile.ZipFile(desk.exchange.path(sha256)) as archive, archive.open("annotations.xml") as file:
        parser.ParseFile(file)
    return count
