"""Which fields go together when frames are to be set aside."""

from __future__ import annotations

from typing import Any

import pytest

from domain.data_params import ValidationParams, parse_data_params
from domain.errors import Invalid
from domain.validation.params import complaints

UNIFORM = {"mode": "gt", "frame_selection_method": "random_uniform", "frame_count": 2}
POOL = UNIFORM | {"mode": "gt_pool", "frames_per_job_count": 1}
PER_JOB = 'One of the fields "frames_per_job_count", "frames_per_job_share" is required'


@pytest.mark.parametrize(
    "given",
    [
        UNIFORM,
        UNIFORM | {"frames_per_job_count": 3},
        {"mode": "gt", "frame_selection_method": "random_uniform", "frame_share": 0.5, "random_seed": 1},
        {"mode": "gt", "frame_selection_method": "random_per_job", "frames_per_job_share": 0.5},
        {"mode": "gt", "frame_selection_method": "manual", "frames": ["a.jpg"]},
    ],
)
def test_what_goes_together(given: dict[str, Any]) -> None:
    assert complaints(given) == []
    as_lists = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    assert parse_data_params({"validation_params": given}).validation_params == ValidationParams(**as_lists)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"frame_selection_method": None},
            '"frame_selection_method" must be one of random_uniform, random_per_job, manual',
        ),
        ({"frame_count": None}, 'One of the fields "frame_count", "frame_share" is required'),
        ({"frame_share": 0.5}, 'Only 1 of the fields "frame_count", "frame_share" can be used'),
        ({"frame_selection_method": "random_per_job"}, PER_JOB),
        ({"frame_selection_method": "manual"}, 'One of the fields "frames" is required'),
        ({"frames": ["a.jpg"]}, '"frames" can only be used with the method "manual"'),
    ],
)
def test_what_does_not(changes: dict[str, Any], message: str) -> None:
    given = {name: value for name, value in (UNIFORM | changes).items() if value is not None}
    with pytest.raises(Invalid) as refusal:
        parse_data_params({"validation_params": given})
    assert refusal.value.detail == {"validation_params": {"non_field_errors": [message]}}


def test_honeypots_need_random_order_and_a_number_per_job() -> None:
    assert parse_data_params({"sorting_method": "random", "validation_params": POOL}).has_honeypots
    assert not parse_data_params({"validation_params": UNIFORM}).has_honeypots
    assert complaints(UNIFORM, "gt_pool") == [PER_JOB]
    assert complaints(POOL | {"frame_selection_method": "random_per_job"}, "gt_pool") == [
        '"frame_selection_method" must be one of random_uniform, manual'
    ]
    with pytest.raises(Invalid) as refusal:
        parse_data_params({"validation_params": POOL})
    assert refusal.value.detail == {
        "non_field_errors": ['The validation mode "gt_pool" can only be used with the sorting method "random"']
    }
