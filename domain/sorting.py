"""The order of uploaded files before frames are selected from them: CVAT's four sorting methods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random
from typing import Literal, get_args

from natsort import os_sort_key

from domain.errors import Invalid, MediaError

SortingMethod = Literal["lexicographical", "natural", "predefined", "random"]
SORTING_METHODS: tuple[SortingMethod, ...] = get_args(SortingMethod)
SHOWN_NAMES = 5


def sort_names(
    names: Sequence[str],
    method: SortingMethod,
    *,
    rng: Random | None = None,
    order: Sequence[str] = (),
) -> list[str]:
    """Names (or paths) in the order of the method.

    - lexicographical: by code points;
    - natural: as file browsers do (natsort's OS style, which CVAT uses): numbers by value, letter case ignored, folder
      by folder, names equal in that sense by code points;
    - predefined: as in `order`; as given when that is empty;
    - random: shuffled by `rng` (required); the caller records the result, which is then the only truth.

    Except for predefined, the result does not depend on the order in which files arrived.
    Errors: Invalid when `order` does not hold exactly these names.
    """
    if method == "predefined":
        return order_as_given(names, order) if order else list(names)
    if method == "random":
        return _shuffled(names, rng)
    ordered = sorted(names)
    return sorted(ordered, key=os_sort_key) if method == "natural" else ordered


def order_as_given(names: Sequence[str], order: Sequence[str]) -> list[str]:
    """`order` itself, once it is sure to hold each of the uploaded names exactly once (`upload_file_order`)."""
    if repeated := _repeated(order):
        raise Invalid({"upload_file_order": [f"Repeated file names: {listed(repeated)}"]})
    missing = [f"{name} (upload)" for name in sorted(set(names) - set(order))]
    unexpected = [f"{name} (expected)" for name in sorted(set(order) - set(names))]
    if missing or unexpected:
        raise Invalid(
            {
                "upload_file_order": [
                    "Uploaded files do not match the 'upload_file_order' field contents. Please check the uploaded "
                    f"data and the list of uploaded files. Mismatching files: {listed([*missing, *unexpected])}"
                ]
            }
        )
    return list(order)


def order_by_jobs(names: Iterable[str], jobs: Sequence[Sequence[str]]) -> list[str]:
    """The files of a `job_file_mapping`, job by job; uploaded files that it does not name are left out.

    Errors: MediaError, naming the files that were not uploaded.
    """
    order = [name for files in jobs for name in files]
    uploaded = frozenset(names)
    if absent := [name for name in order if name not in uploaded]:
        raise MediaError(f"Files of job_file_mapping were not found in the uploaded data: {listed(absent)}")
    return order


def listed(names: Sequence[str]) -> str:
    """Names for a message: the first few, and how many more there are."""
    more = f" (and {len(names) - SHOWN_NAMES} more)" if len(names) > SHOWN_NAMES else ""
    return ", ".join(names[:SHOWN_NAMES]) + more


def _shuffled(names: Sequence[str], rng: Random | None) -> list[str]:
    if rng is None:
        raise ValueError("random sorting needs an rng")
    shuffled = sorted(names)
    rng.shuffle(shuffled)
    return shuffled


def _repeated(names: Sequence[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
