"""Every blob that an event names is known as such: who purges, checks or copies blobs must miss none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from domain.event import Body
from domain.events.data import named_blobs
from domain.events.validation import HoneypotsPlaced

from .golden.examples import EXAMPLES

OF_OTHER_EVENTS = (HoneypotsPlaced,)
"""What shows a picture that another event put into the task."""


def blobs_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "sha256" in value:
            yield value
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from blobs_in(item)


@pytest.mark.parametrize("body", EXAMPLES.values(), ids=lambda body: body.type_name)
def test_no_blob_is_missed(body: Body) -> None:
    expected = [] if isinstance(body, OF_OTHER_EVENTS) else list(blobs_in(vars(body)))
    assert named_blobs(body.type_name, vars(body)) == expected
