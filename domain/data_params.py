"""What a client asks for when it hands over a task's data: the body of `/api/tasks/{id}/data/`, as CVAT reads it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from domain import values
from domain.errors import MediaError
from domain.file_names import normal_name
from domain.sorting import SORTING_METHODS, SortingMethod, listed
from domain.validation.params import complaints
from domain.values import Values

MAX_PATH = 1024
MAX_FILTER = 256
STEP = re.compile(r"\s*step\s*=\s*([1-9]\d*)\s*", re.ASCII)
DEFAULT_SORTING: SortingMethod = "lexicographical"

ValidationMode = Literal["gt", "gt_pool"]
FrameSelectionMethod = Literal["random_uniform", "random_per_job", "manual"]


@dataclass(frozen=True, slots=True)
class ValidationParams:
    """Which frames to set aside for checking annotators. `frames` are file names; shares are in (0, 1]."""

    mode: ValidationMode
    frame_selection_method: FrameSelectionMethod | None = None
    random_seed: int | None = None
    frames: tuple[str, ...] = ()
    frame_count: int | None = None
    frame_share: float | None = None
    frames_per_job_count: int | None = None
    frames_per_job_share: float | None = None


@dataclass(frozen=True, slots=True)
class DataParams:
    """The request as understood. None: not given. Frame numbers are absolute, the stop is inclusive; `chunk_size` is
    in frames, `image_quality` 1..100; file names are in Unicode form NFC.
    """

    image_quality: int | None = None
    chunk_size: int | None = None
    start_frame: int | None = None
    stop_frame: int | None = None
    frame_filter: str = ""
    server_files: tuple[str, ...] = ()
    remote_files: tuple[str, ...] = ()
    server_files_exclude: tuple[str, ...] = ()
    use_cache: bool = False
    copy_data: bool = False
    use_zip_chunks: bool = False
    sorting_method: SortingMethod = DEFAULT_SORTING
    upload_file_order: tuple[str, ...] = ()
    job_file_mapping: tuple[tuple[str, ...], ...] | None = None
    filename_pattern: str | None = None
    cloud_storage_id: int | None = None
    validation_params: ValidationParams | None = None

    @property
    def frame_step(self) -> int:
        """Every how many-th frame is taken."""
        return _step(self.frame_filter) or 1

    @property
    def has_honeypots(self) -> bool:
        return self.validation_params is not None and self.validation_params.mode == "gt_pool"

    def recorded(self) -> dict[str, Any]:
        """What differs from the defaults, as JSON values; `parse_data_params` makes the same of it again."""
        return _given(self)

    def required_image_quality(self) -> int:
        """MediaError when it is missing: images and videos need it, as is known only once the files are looked at."""
        if self.image_quality is None:
            raise MediaError("image_quality is required for images and videos")
        return self.image_quality


def parse_data_params(body: Any) -> DataParams:
    """The request in a JSON object (or in a form: see `domain.data_form`). Unknown fields are ignored.

    Errors: Invalid with the messages of all fields.
    """
    given = Values(body)
    params = DataParams(
        **_present(_numbers(given) | _files(given) | _options(given)),
        validation_params=given.read("validation_params", _validation_params, nullable=True),
    )
    _check_combinations(given, params)
    given.conclude()
    return params


def check_job_file_mapping(params: DataParams, segment_size: int, *, video: bool = False) -> None:
    """MediaError, naming them, when other options contradict the file mapping of jobs (`segment_size`: the task's)."""
    if params.job_file_mapping is None:
        return
    if not params.job_file_mapping or not all(params.job_file_mapping):
        raise MediaError("job_file_mapping must not be empty, and each of its jobs must have a file")
    if video:
        raise MediaError("job_file_mapping can't be used with a video")
    others: dict[str, object] = {
        "segment_size": segment_size,
        "sorting_method": params.sorting_method != DEFAULT_SORTING,
        "start_frame": params.start_frame,
        "stop_frame": params.stop_frame,
        "frame_filter": params.frame_filter,
        "filename_pattern": params.filename_pattern,
        "server_files_exclude": params.server_files_exclude,
    }
    if conflicts := [name for name, value in others.items() if value]:
        raise MediaError(f"job_file_mapping can't be used together with {', '.join(conflicts)}")


def _numbers(given: Values) -> dict[str, Any]:
    return {
        "image_quality": given.read("image_quality", values.integer(1, 100)),
        "chunk_size": given.read("chunk_size", _chunk_size, nullable=True),
        "start_frame": given.read("start_frame", values.integer(0)),
        "stop_frame": given.read("stop_frame", values.integer(0)),
        "cloud_storage_id": given.read("cloud_storage_id", values.integer(), nullable=True),
    }


def _files(given: Values) -> dict[str, Any]:
    lists = ("server_files", "server_files_exclude", "upload_file_order")
    return {name: given.read(name, values.items(_path)) for name in lists} | {
        "remote_files": given.read("remote_files", _urls),
        "job_file_mapping": given.read("job_file_mapping", _job_file_mapping),
    }


def _options(given: Values) -> dict[str, Any]:
    flags = ("use_cache", "copy_data", "use_zip_chunks")
    return {name: given.read(name, values.boolean) for name in flags} | {
        "frame_filter": given.read("frame_filter", _frame_filter),
        "sorting_method": given.read("sorting_method", values.choice(SORTING_METHODS)),
        "filename_pattern": given.read("filename_pattern", values.text(), nullable=True),
    }


def _check_combinations(given: Values, params: DataParams) -> None:
    start, stop = params.start_frame, params.stop_frame
    if start is not None and stop is not None and start > stop:
        given.refuse("non_field_errors", "Stop frame must be more or equal start frame")
    if params.filename_pattern and params.server_files_exclude:
        given.refuse("non_field_errors", "filename_pattern and server_files_exclude can't be used together")
    if params.upload_file_order and params.sorting_method != "predefined" and "sorting_method" not in given.errors:
        given.refuse("upload_file_order", "Can only be used with the 'predefined' sorting method.")
    if params.has_honeypots and params.sorting_method != "random" and "sorting_method" not in given.errors:
        given.refuse(
            "non_field_errors", 'The validation mode "gt_pool" can only be used with the sorting method "random"'
        )


def _path(value: Any) -> str:
    return normal_name(values.text(MAX_PATH, trim=False)(value))


def _chunk_size(value: Any) -> int:
    size = values.integer()(value)
    if size < 1:
        raise values.Refused("Chunk size must be a positive integer")
    return size


def _step(frame_filter: str) -> int | None:
    match = STEP.fullmatch(frame_filter)
    return int(match[1]) if match else None


def _frame_filter(value: Any) -> str:
    found = values.text(MAX_FILTER, blank=True)(value)
    if found and _step(found) is None:
        raise values.Refused("Invalid frame filter expression")
    return found


def _urls(value: Any) -> tuple[str, ...]:
    urls = values.items(values.text(MAX_PATH))(value)
    if wrong := [url for url in urls if not _is_web_url(url)]:
        raise values.Refused(f"Not an http or https URL with a host: {listed(wrong)}")
    return urls


def _is_web_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _job_file_mapping(value: Any) -> tuple[tuple[str, ...], ...]:
    jobs = values.items(values.items(_path))(value)
    counts = Counter(name for files in jobs for name in files)
    if repeated := [name for name, count in counts.items() if count > 1]:
        raise values.Refused(f"The same file can't be used multiple times in the job file mapping: {listed(repeated)}")
    return jobs


def _validation_params(value: Any) -> ValidationParams:
    given = Values(value)
    found = {
        "mode": given.read("mode", values.choice(get_args(ValidationMode)), required=True),
        "frame_selection_method": given.read("frame_selection_method", values.choice(get_args(FrameSelectionMethod))),
        "random_seed": given.read("random_seed", values.integer(0, None)),
        "frames": given.read("frames", values.items(_path)),
        "frame_count": given.read("frame_count", values.integer(1)),
        "frame_share": given.read("frame_share", values.share),
        "frames_per_job_count": given.read("frames_per_job_count", values.integer(1)),
        "frames_per_job_share": given.read("frames_per_job_share", values.share),
    }
    given.conclude()
    present = _present(found)
    for complaint in complaints({name: value for name, value in present.items() if value != ()}, present["mode"]):
        given.refuse("non_field_errors", complaint)
    given.conclude()
    return ValidationParams(**present)


def _present(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value is not None}


def _given(record: DataParams | ValidationParams) -> dict[str, Any]:
    given = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if value != field.default:
            given[field.name] = _given(value) if isinstance(value, ValidationParams) else _json(value)
    return given


def _json(value: Any) -> Any:
    return [_json(item) for item in value] if isinstance(value, tuple) else value
