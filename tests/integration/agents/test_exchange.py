"""Files of exports and imports go when nobody may ask for them any more, and not before."""

from __future__ import annotations

import os
import shutil
import threading
import time

import pytest

from cli.bootstrap import System
from consumers.exchange import KEPT_SECONDS, ExchangeSweep
from domain.errors import Unavailable
from domain.imports import SentFile
from domain.target import Target
from infra.blobs import FileBlobs
from infra.settings import Settings

from .work import ANN


@pytest.fixture
def exchange(settings: Settings) -> FileBlobs:
    return FileBlobs(settings.exchange)


@pytest.fixture
def sweep(settings: Settings, system: System) -> ExchangeSweep:
    return ExchangeSweep(FileBlobs(settings.exchange), system.database)


def old(exchange: FileBlobs, content: bytes) -> SentFile:
    """A file that was stored longer ago than any request promises to keep one."""
    blob = exchange.put([content])
    then = time.time() - KEPT_SECONDS - 60
    os.utime(exchange.path(blob.sha256), (then, then))
    return SentFile("a.xml", blob.sha256, blob.size)


def import_into_task_7(system: System, file: SentFile) -> str:
    return system.app.imports.queue(ANN, Target("task", task_id=7), "CVAT 1.1", file)


def due() -> float:
    return time.time() - KEPT_SECONDS


def test_old_files_go_and_young_ones_stay(exchange: FileBlobs, sweep: ExchangeSweep) -> None:
    gone, kept = old(exchange, b"old"), exchange.put([b"young"])
    assert sweep.run(due()) == 1
    assert not exchange.exists(gone.sha256)
    assert exchange.exists(kept.sha256)


def test_a_file_that_is_sent_again_stays(exchange: FileBlobs, sweep: ExchangeSweep) -> None:
    file = old(exchange, b"twice")
    exchange.put([b"twice"])
    assert sweep.run(due()) == 0
    assert exchange.exists(file.sha256)


def test_a_file_that_an_import_waits_for_stays(exchange: FileBlobs, sweep: ExchangeSweep, system: System) -> None:
    file = old(exchange, b"<annotations/>")
    import_id = import_into_task_7(system, file)
    assert sweep.run(due()) == 0
    system.app.requests.cancel(ANN, import_id)
    assert sweep.run(due()) == 1


def test_sweeps_side_by_side_do_not_trip_over_each_other(
    exchange: FileBlobs, settings: Settings, system: System
) -> None:
    blob = old(exchange, b"old")
    template = exchange.path(blob.sha256)
    for number in range(2_000):
        name = f"{number:02x}"[-2:] + f"{number:062x}"
        (settings.exchange / name[:2]).mkdir(exist_ok=True)
        os.link(template, settings.exchange / name[:2] / name)
    removed: list[int] = []

    def sweep() -> None:
        removed.append(ExchangeSweep(FileBlobs(settings.exchange), system.database).run(due()))

    sweeps = [threading.Thread(target=sweep) for _ in range(4)]
    for each in sweeps:
        each.start()
    for each in sweeps:
        each.join()
    assert len(removed) == len(sweeps)  # none was broken off
    # One sweep's start gives back what another has just taken aside: such a file is removed, and counted, twice.
    assert sum(removed) >= 2_001
    assert not list(settings.exchange.glob("??/*"))


def test_a_lost_folder_is_told_as_such(settings: Settings, exchange: FileBlobs, sweep: ExchangeSweep) -> None:
    exchange.put([b"lost"])
    shutil.rmtree(settings.exchange)
    with pytest.raises(Unavailable):  # with which an agent goes on
        sweep.run(due())
