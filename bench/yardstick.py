"""The yardstick Y: single-row INSERT+COMMIT per second, one connection, on the very PostgreSQL that is measured.

Ratios to Y travel between machines and days; milliseconds don't.
"""

from __future__ import annotations

import time

import psycopg


def yardstick(url: str, seconds: float = 2.0) -> float:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS public.yardstick (id bigserial PRIMARY KEY, text text)")
        count, started = 0, time.perf_counter()
        while time.perf_counter() - started < seconds:
            connection.execute("INSERT INTO public.yardstick (text) VALUES (%s)", ("x" * 100,))
            count += 1
        rate = count / (time.perf_counter() - started)
        connection.execute("DROP TABLE public.yardstick")
    return rate
