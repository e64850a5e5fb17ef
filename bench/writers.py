"""A process of writers at the application layer, with no HTTP in between: `python -m bench.writers URL KIND THREADS
SECONDS LABEL JOB…`. Prints how many commands were acknowledged per second.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from itertools import count

from cli.bootstrap import System, connect
from domain.event import SYSTEM, Context
from domain.job import STATES

ME = Context(SYSTEM, source="bench")
Command = Callable[[int, int], object]
"""`command(job id, number)`: a command that is acknowledged when it returns."""


def commands(system: System, label: int) -> dict[str, Command]:
    app = system.app
    rectangle = {"type": "rectangle", "frame": 0, "label_id": label}
    drawing = {"shapes": [rectangle | {"points": [1.5, n, 20.25, n + 9]} for n in range(10)]}
    return {
        "state": lambda job, number: app.jobs.update(ME, job, state=STATES[number % len(STATES)]),
        "tag": lambda job, _: app.annotations.create(ME, job, {"tags": [{"frame": 0, "label_id": label}]}),
        "drawing": lambda job, _: app.annotations.create(ME, job, drawing),
    }


def run(command: Command, jobs: list[int], threads: int, seconds: float) -> float:
    """Commands per second; each thread has jobs of its own."""
    done = [0] * threads
    ready = threading.Barrier(threads + 1)
    stop = threading.Event()

    def write(worker: int) -> None:
        own = jobs[worker::threads]
        for number in count():
            if number == 1:
                ready.wait()
            if stop.is_set():
                return
            command(own[number % len(own)], number // len(own))
            done[worker] += 1

    workers = [threading.Thread(target=write, args=(worker,)) for worker in range(threads)]
    for worker in workers:
        worker.start()
    ready.wait()
    started = time.perf_counter()
    time.sleep(seconds)
    stop.set()
    total, elapsed = sum(done), time.perf_counter() - started
    for worker in workers:
        worker.join()
    return total / elapsed


def main(url: str, kind: str, threads: str, seconds: str, label: str, *jobs: str) -> None:
    system = connect(url, 8)
    try:
        rate = run(commands(system, int(label))[kind], [int(job) for job in jobs], int(threads), float(seconds))
        sys.stdout.write(f"{rate}\n")
    finally:
        system.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
