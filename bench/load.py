"""A small HTTP/1.1 load generator: keep-alive connections on one event loop, so that it takes little of the cores."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Load:
    """What a run of load showed. Latencies in seconds."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, percent: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else float("nan")


Make = Callable[[int, int], tuple[str, str, bytes]]
"""`make(client, number) -> (method, path, body)`"""


def run(host: str, port: int, token: str, clients: int, seconds: float, make: Make) -> Load:
    """`clients` connections, each sending one request after the other for `seconds`."""
    return asyncio.run(_run(host, port, token, clients, seconds, make))


async def _run(host: str, port: int, token: str, clients: int, seconds: float, make: Make) -> Load:
    load = Load(seconds)
    stop = time.perf_counter() + seconds
    await asyncio.gather(*(_client(host, port, token, number, stop, make, load) for number in range(clients)))
    return load


async def _client(host: str, port: int, token: str, client: int, stop: float, make: Make, load: Load) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    number = 0
    while (started := time.perf_counter()) < stop:
        method, path, body = make(client, number)
        number += 1
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Token {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        status, _ = await _answer(reader)
        if 200 <= status < 300:
            load.latencies.append(time.perf_counter() - started)
        else:
            load.failures.append(f"{method} {path}: {status}")
    writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    length = next((int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")), 0)
    return int(lines[0].split(b" ")[1]), await reader.readexactly(length)
