"""Data requests that come as a multipart form."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.data_form import form_body
from domain.data_params import DataParams, ValidationParams, parse_data_params
from domain.errors import Invalid


def parse_form(*fields: tuple[str, str]) -> DataParams:
    return parse_data_params(form_body(fields))


def test_scalars_are_texts_and_a_blank_is_not_given() -> None:
    params = parse_form(
        ("image_quality", "70"),
        ("use_zip_chunks", "true"),
        ("use_cache", "False"),
        ("chunk_size", ""),
        ("start_frame", " "),
        ("sorting_method", "natural"),
        ("frame_filter", "step=2"),
    )
    assert params == DataParams(image_quality=70, use_zip_chunks=True, sorting_method="natural", frame_filter="step=2")


def test_of_a_repeated_scalar_the_last_counts() -> None:
    assert parse_form(("image_quality", "1"), ("image_quality", "2")).image_quality == 2


@pytest.mark.parametrize(
    "fields",
    [
        [("server_files", "b"), ("server_files", "a")],
        [("server_files[0]", "b"), ("server_files[1]", "a")],
        [("server_files[7]", "a"), ("server_files[3]", "b")],
        [("server_files", '["b", "a"]')],
    ],
)
def test_lists(fields: list[tuple[str, str]]) -> None:
    assert parse_form(*fields).server_files == ("b", "a")


@pytest.mark.parametrize("name", ["[1].jpg", "[", "{}", '"a"', "[1", "7"])
def test_a_file_may_be_called_like_json(name: str) -> None:
    assert parse_form(("server_files", name)).server_files == (name,)


def test_lists_of_lists() -> None:
    fields = [("job_file_mapping[0][0]", "a"), ("job_file_mapping[0][1]", "b"), ("job_file_mapping[1][0]", "c")]
    assert parse_form(*fields).job_file_mapping == (("a", "b"), ("c",))
    assert parse_form(("job_file_mapping", '[["a","b"],["c"]]')).job_file_mapping == (("a", "b"), ("c",))


def test_objects() -> None:
    expected = ValidationParams("gt", "manual", frames=("a", "b"))
    dotted = [
        ("validation_params.mode", "gt"),
        ("validation_params.frame_selection_method", "manual"),
        ("validation_params.frames[0]", "a"),
        ("validation_params.frames[1]", "b"),
    ]
    assert parse_form(*dotted).validation_params == expected
    as_json = json.dumps({"mode": "gt", "frame_selection_method": "manual", "frames": ["a", "b"]})
    assert parse_form(("validation_params", as_json)).validation_params == expected


def test_faults_have_the_same_messages_as_in_json() -> None:
    with pytest.raises(Invalid) as refusal:
        parse_form(("image_quality", "best"), ("use_cache", "maybe"), ("validation_params", "gt"))
    assert refusal.value.detail == {
        "image_quality": ["A valid integer is required."],
        "use_cache": ["Must be a valid boolean."],
        "validation_params": {"non_field_errors": ["Invalid data. Expected a dictionary, but got str."]},
    }


@given(st.lists(st.tuples(st.text("ab.[]01_", max_size=12), st.text(max_size=5)), max_size=8))
def test_any_keys_are_read_without_harm(fields: list[tuple[str, str]]) -> None:
    assert all(isinstance(name, str) for name in form_body(fields))
