"""What a client may ask for, when it wants annotators to be checked: CVAT's rules for the fields that go together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NEEDED = {
    "random_uniform": ("frame_count", "frame_share"),
    "random_per_job": ("frames_per_job_count", "frames_per_job_share"),
    "manual": ("frames",),
}
"""Selection method → fields of which it needs exactly one."""

PER_JOB = NEEDED["random_per_job"]


def complaints(given: Mapping[str, Any], mode: str = "gt") -> list[str]:
    """What is wrong with a choice of frames: fields that are missing or contradict each other. `given`: its fields,
    without those that are None; `mode`: as in `ValidationParams`. Amounts that the method has no use for are ignored.
    """
    methods = [method for method in NEEDED if (mode, method) != ("gt_pool", "random_per_job")]
    method = given.get("frame_selection_method")
    if method not in methods:
        return [f'"frame_selection_method" must be one of {", ".join(methods)}']
    needed = [NEEDED[method]] + ([PER_JOB] if mode == "gt_pool" else [])
    unfit = ['"frames" can only be used with the method "manual"'] if "frames" in given and method != "manual" else []
    return [text for names in needed for text in _one_of(given, names)] + unfit


def _one_of(given: Mapping[str, Any], names: tuple[str, ...]) -> list[str]:
    options = ", ".join(f'"{name}"' for name in names)
    found = len(given.keys() & set(names))
    if found == 1:
        return []
    return [f"Only 1 of the fields {options} can be used"] if found else [f"One of the fields {options} is required"]
