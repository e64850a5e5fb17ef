"""Python's garbage collector, as programs want it that read large documents."""

from __future__ import annotations

import gc


def stop_collector() -> None:
    """While a program starts, until `calm_collector`: it makes no garbage, and looking for some takes a tenth of the
    time.
    """
    gc.disable()


def calm_collector() -> None:
    """Reference counting frees nearly everything here. The collector, as it comes, would look through the whole program
    again and again while a large document is being read: seven times slower, measured on JSON of annotations.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()
