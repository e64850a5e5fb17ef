"""The body of a data request: every field, its limits, its messages, and how it is recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.data_params import DataParams, ValidationParams, check_job_file_mapping, parse_data_params
from domain.errors import Invalid, MediaError

INTEGER = ["A valid integer is required."]
NULL = ["This field may not be null."]
BLANK = ["This field may not be blank."]
HUGE = ["Ensure this value is less than or equal to 2147483647."]


def errors_of(body: Any) -> Any:
    with pytest.raises(Invalid) as refusal:
        parse_data_params(body)
    return refusal.value.detail


def test_what_the_sdk_sends() -> None:
    assert parse_data_params({"image_quality": 70}) == DataParams(image_quality=70)


def test_what_the_web_ui_sends() -> None:
    body = {
        "image_quality": 70,
        "use_zip_chunks": True,
        "use_cache": True,
        "sorting_method": "lexicographical",
        "server_files": [],
        "remote_files": [],
    }
    assert parse_data_params(body) == DataParams(image_quality=70, use_zip_chunks=True, use_cache=True)


def test_every_field() -> None:
    body: dict[str, Any] = {
        "image_quality": 1,
        "chunk_size": 36,
        "start_frame": 0,
        "stop_frame": 99,
        "frame_filter": "step=5",
        "server_files": ["a/", "b.jpg"],
        "remote_files": ["https://example.org/c.jpg"],
        "server_files_exclude": ["a/x.jpg"],
        "use_cache": True,
        "copy_data": True,
        "use_zip_chunks": True,
        "sorting_method": "predefined",
        "upload_file_order": ["b.jpg", "a.jpg"],
        "job_file_mapping": [["b.jpg"], ["a.jpg"]],
        "cloud_storage_id": 3,
        "validation_params": {
            "mode": "gt",
            "frame_selection_method": "manual",
            "random_seed": 2**40,
            "frames": ["a.jpg"],
            "frame_count": 1,
            "frame_share": 0.5,
            "frames_per_job_count": 2,
            "frames_per_job_share": 1,
        },
        "client_files": [],
        "storage_method": "cache",
        "something_new": {"ignored": True},
    }
    params = parse_data_params(body)
    assert params == DataParams(
        image_quality=1,
        chunk_size=36,
        start_frame=0,
        stop_frame=99,
        frame_filter="step=5",
        server_files=("a/", "b.jpg"),
        remote_files=("https://example.org/c.jpg",),
        server_files_exclude=("a/x.jpg",),
        use_cache=True,
        copy_data=True,
        use_zip_chunks=True,
        sorting_method="predefined",
        upload_file_order=("b.jpg", "a.jpg"),
        job_file_mapping=(("b.jpg",), ("a.jpg",)),
        cloud_storage_id=3,
        validation_params=ValidationParams("gt", "manual", 2**40, ("a.jpg",), 1, 0.5, 2, 1.0),
    )
    recorded = params.recorded()
    assert recorded == {name: body[name] for name in recorded}
    assert set(body) - set(recorded) == {"client_files", "storage_method", "something_new"}


def test_defaults_are_not_recorded() -> None:
    assert parse_data_params({}).recorded() == {}
    assert parse_data_params({}) == DataParams()
    assert parse_data_params({"sorting_method": "lexicographical", "use_cache": False}).recorded() == {}


def test_nulls_that_mean_not_given() -> None:
    nulls = dict.fromkeys(["chunk_size", "filename_pattern", "cloud_storage_id", "validation_params"])
    assert parse_data_params(nulls) == DataParams()


@pytest.mark.parametrize(
    "field",
    ["image_quality", "start_frame", "stop_frame", "frame_filter", "server_files", "remote_files", "use_cache",
     "server_files_exclude", "copy_data", "use_zip_chunks", "sorting_method", "upload_file_order", "job_file_mapping"],
)  # fmt: skip
def test_nulls_that_are_refused(field: str) -> None:
    assert errors_of({field: None}) == {field: NULL}


@pytest.mark.parametrize("value", [7, 7.0, "7", " 7 ", "7.0", "+7"])
def test_spellings_of_an_integer(value: Any) -> None:
    assert parse_data_params({"start_frame": value}).start_frame == 7


@pytest.mark.parametrize("value", ["x", "", "7.5", 7.5, True, [7], {}, "1e3", "0x7", "1_000", float("inf"), "٣"])
def test_what_is_no_integer(value: Any) -> None:
    assert errors_of({"start_frame": value}) == {"start_frame": INTEGER}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("image_quality", 0, "Ensure this value is greater than or equal to 1."),
        ("image_quality", 101, "Ensure this value is less than or equal to 100."),
        ("chunk_size", 0, "Chunk size must be a positive integer"),
        ("chunk_size", -3, "Chunk size must be a positive integer"),
        ("chunk_size", 2**31, HUGE[0]),
        ("start_frame", -1, "Ensure this value is greater than or equal to 0."),
        ("stop_frame", -1, "Ensure this value is greater than or equal to 0."),
        ("stop_frame", 10**30, HUGE[0]),
        ("stop_frame", "9" * 1001, "String value too large."),
        ("frame_filter", "every=3", "Invalid frame filter expression"),
        ("frame_filter", "step=0", "Invalid frame filter expression"),
        ("frame_filter", "step=-2", "Invalid frame filter expression"),
        ("frame_filter", "step=2.5", "Invalid frame filter expression"),
        ("frame_filter", "step=" + "1" * 260, "Ensure this field has no more than 256 characters."),
        ("frame_filter", ["step=2"], "Not a valid string."),
        ("use_cache", "maybe", "Must be a valid boolean."),
        ("use_cache", 2, "Must be a valid boolean."),
        ("sorting_method", "alphabetical", '"alphabetical" is not a valid choice.'),
        ("sorting_method", ["random"], "\"['random']\" is not a valid choice."),
        ("server_files", "a.jpg", 'Expected a list of items but got type "str".'),
        ("server_files", {"a": 1}, 'Expected a list of items but got type "dict".'),
        ("filename_pattern", "", BLANK[0]),
        ("cloud_storage_id", "cloud", INTEGER[0]),
        ("remote_files", ["ftp://example.org/a"], "Not an http or https URL with a host: ftp://example.org/a"),
        ("remote_files", ["a.jpg"], "Not an http or https URL with a host: a.jpg"),
        ("remote_files", ["http:///a.jpg"], "Not an http or https URL with a host: http:///a.jpg"),
        ("remote_files", ["http://[::1/a"], "Not an http or https URL with a host: http://[::1/a"),
        ("remote_files", ["file:///etc/passwd"], "Not an http or https URL with a host: file:///etc/passwd"),
        (
            "job_file_mapping",
            [["a", "b"], ["c", "a"]],
            "The same file can't be used multiple times in the job file mapping: a",
        ),
        ("job_file_mapping", "a", 'Expected a list of items but got type "str".'),
        ("upload_file_order", ["a"], "Can only be used with the 'predefined' sorting method."),
    ],
)
def test_limits_and_messages(field: str, value: Any, message: str) -> None:
    assert errors_of({field: value}) == {field: [message]}


@pytest.mark.parametrize(
    ("field", "value", "detail"),
    [
        ("server_files", ["a", 7, True, "", None, "x" * 1025], {
            "2": ["Not a valid string."],
            "3": BLANK,
            "4": NULL,
            "5": ["Ensure this field has no more than 1024 characters."],
        }),
        ("job_file_mapping", [["a"], "b", ["c", ""]], {
            "1": ['Expected a list of items but got type "str".'],
            "2": {"1": BLANK},
        }),
    ],
)  # fmt: skip
def test_messages_of_a_list_stand_at_their_position(field: str, value: Any, detail: Any) -> None:
    assert errors_of({field: value}) == {field: detail}


@pytest.mark.parametrize(
    ("field", "value"),
    [("image_quality", 1), ("image_quality", 100), ("chunk_size", 1), ("stop_frame", 2**31 - 1), ("start_frame", 0)],
)
def test_the_limits_themselves_are_allowed(field: str, value: int) -> None:
    assert parse_data_params({field: value}).recorded() == {field: value}


def test_all_faults_are_told_at_once() -> None:
    body = {"image_quality": 0, "start_frame": "x", "validation_params": {"mode": "best", "frame_count": 0}}
    assert errors_of(body) == {
        "image_quality": ["Ensure this value is greater than or equal to 1."],
        "start_frame": INTEGER,
        "validation_params": {
            "mode": ['"best" is not a valid choice.'],
            "frame_count": ["Ensure this value is greater than or equal to 1."],
        },
    }


@pytest.mark.parametrize("body", [[], "x", 1, None])
def test_a_body_that_is_no_object(body: Any) -> None:
    expected = f"Invalid data. Expected a dictionary, but got {type(body).__name__}."
    assert errors_of(body) == {"non_field_errors": [expected]}


@pytest.mark.parametrize(
    ("validation", "detail"),
    [
        ({}, {"mode": ["This field is required."]}),
        ({"mode": None}, {"mode": NULL}),
        ({"mode": "gt", "random_seed": -1}, {"random_seed": ["Ensure this value is greater than or equal to 0."]}),
        ({"mode": "gt", "frame_share": 0}, {"frame_share": ["Ensure this value is greater than 0 and at most 1."]}),
        (
            {"mode": "gt", "frame_share": "1.01"},
            {"frame_share": ["Ensure this value is greater than 0 and at most 1."]},
        ),
        ({"mode": "gt", "frame_share": "half"}, {"frame_share": ["A valid number is required."]}),
        ({"mode": "gt", "frame_share": "nan"}, {"frame_share": ["Ensure this value is greater than 0 and at most 1."]}),
        ({"mode": "gt", "frame_share": True}, {"frame_share": ["A valid number is required."]}),
        ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
    ],
)
def test_validation_params(validation: Any, detail: Any) -> None:
    assert errors_of({"validation_params": validation}) == {"validation_params": detail}


def test_start_after_stop_is_refused() -> None:
    assert parse_data_params({"start_frame": 3, "stop_frame": 3}).stop_frame == 3
    assert errors_of({"start_frame": 4, "stop_frame": 3}) == {
        "non_field_errors": ["Stop frame must be more or equal start frame"]
    }


def test_a_pattern_and_exclusions_do_not_go_together() -> None:
    body = {"filename_pattern": "*.jpg", "server_files_exclude": ["a"]}
    assert errors_of(body) == {"non_field_errors": ["filename_pattern and server_files_exclude can't be used together"]}


@pytest.mark.parametrize(("frame_filter", "step"), [("step=5", 5), ("step = 5", 5), (" step= 12 ", 12), ("", 1)])
def test_the_step(frame_filter: str, step: int) -> None:
    assert parse_data_params({"frame_filter": frame_filter}).frame_step == step


def test_names_are_in_one_unicode_form() -> None:
    params = parse_data_params({"sorting_method": "predefined", "upload_file_order": ["e\u0301 .jpg "]})
    assert params.upload_file_order == ("\u00e9 .jpg ",)


def test_the_image_quality_is_missed_only_when_it_is_needed() -> None:
    assert parse_data_params({"image_quality": 70}).required_image_quality() == 70
    with pytest.raises(MediaError, match="image_quality is required"):
        parse_data_params({}).required_image_quality()


class TestJobFileMapping:
    def test_alone_it_is_fine_and_so_is_its_absence(self) -> None:
        plain = parse_data_params({"job_file_mapping": [["a"], ["b"]], "sorting_method": "lexicographical"})
        check_job_file_mapping(plain, 0)
        check_job_file_mapping(DataParams(start_frame=3), 5, video=True)

    @pytest.mark.parametrize(
        ("other", "name"),
        [
            ({"sorting_method": "natural"}, "sorting_method"),
            ({"start_frame": 1}, "start_frame"),
            ({"stop_frame": 8}, "stop_frame"),
            ({"frame_filter": "step=1"}, "frame_filter"),
            ({"filename_pattern": "*"}, "filename_pattern"),
            ({"server_files_exclude": ["a"]}, "server_files_exclude"),
        ],
    )
    def test_options_that_contradict_it(self, other: dict[str, Any], name: str) -> None:
        params = parse_data_params({"job_file_mapping": [["a"]]} | other)
        with pytest.raises(MediaError, match=f"can't be used together with {name}$"):
            check_job_file_mapping(params, 0)

    def test_all_contradictions_are_named(self) -> None:
        params = parse_data_params({"job_file_mapping": [["a"]], "start_frame": 2})
        with pytest.raises(MediaError, match=r"can't be used together with segment_size, start_frame$"):
            check_job_file_mapping(params, 4)

    def test_a_video_contradicts_it(self) -> None:
        with pytest.raises(MediaError, match="video"):
            check_job_file_mapping(DataParams(job_file_mapping=(("a",),)), 0, video=True)

    @pytest.mark.parametrize("mapping", [[], [[]], [["a"], []]])
    def test_it_must_not_be_empty(self, mapping: list[list[str]]) -> None:
        with pytest.raises(MediaError, match="must not be empty"):
            check_job_file_mapping(parse_data_params({"job_file_mapping": mapping}), 0)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
FIELDS = list(DataParams.__dataclass_fields__)


@given(st.dictionaries(st.sampled_from(FIELDS), anything))
def test_any_body_is_understood_or_refused_and_what_is_recorded_reads_the_same(body: dict[str, Any]) -> None:
    try:
        params = parse_data_params(body)
    except Invalid:
        assert set(errors_of(body)) <= {*body, "non_field_errors"}
        return
    assert parse_data_params(json.loads(json.dumps(params.recorded()))) == params
