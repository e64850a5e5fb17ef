"""Pictures, each a frame: put in order, selected, fetched and looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from random import SystemRandom

from consumers.handlers.create_task.layout import lay_out
from consumers.handlers.create_task.sources import Files
from consumers.handlers.create_task.uploaded import uploaded
from consumers.handlers.handler import Tools
from domain.data import Prepared
from domain.data_params import DataParams
from domain.errors import MediaError
from domain.events.data import Frame, ReceivedFile, RelatedImage
from domain.frames import select_frames
from domain.sorting import order_by_jobs, sort_names
from domain.task import Task
from infra.media import images

LOOKED_AT_ONCE = 1_000
"""So many pictures are fetched from the blob store before they are looked at."""


def prepare_pictures(tools: Tools, task: Task, params: DataParams, files: Files) -> Prepared:
    """Raises MediaError, Invalid."""
    names = _in_order(files, params)
    selection = select_frames(len(names), params.start_frame or 0, params.stop_frame, params.frame_step, video=False)
    selected = [names[number] for number in selection.numbers]
    layout = lay_out(task, params, selected, tools.settings.max_jobs_per_task)
    pictures = _Pictures(tools, files, layout.names)
    frames = [pictures.frame(name) for name in layout.names]
    return Prepared(
        uploaded(task, params, selection, frames[0]["width"], frames[0]["height"]),
        layout.split,
        frames,
        related=list(pictures.related(layout.names)),
        validation=layout.validation,
    )


def _in_order(files: Files, params: DataParams) -> list[str]:
    """Raises MediaError, Invalid."""
    names = files.media.images
    in_manifest = files.manifest and files.manifest.order(names)
    if params.job_file_mapping is not None:
        return order_by_jobs(names, params.job_file_mapping)
    if params.has_honeypots:  # which shuffle the frames themselves, so that a seed always gives the same order
        return sort_names(names, "natural")
    if params.sorting_method != "predefined":
        return sort_names(names, params.sorting_method, rng=SystemRandom())
    if in_manifest:
        return in_manifest
    if files.archive:
        raise MediaError(f"{files.archive}: the sorting method predefined needs a manifest (a .jsonl file)")
    return sort_names(names, "predefined", order=params.upload_file_order)


class _Pictures:
    """The files that some frames and what is shown beside them are made from: fetched once, opened and checked."""

    def __init__(self, tools: Tools, files: Files, names: Sequence[str]) -> None:
        """Raises MediaError, naming the first file that isn't in order."""
        self._beside = files.media.related
        wanted = list(dict.fromkeys(names))
        wanted += [beside for name in wanted for beside in self._beside.get(name, ())]
        self._files = files.source.fetch(wanted)
        self._sizes = _probe(tools, [self._files[name] for name in wanted])
        if files.manifest:
            for name in dict.fromkeys(names):
                files.manifest.check_size(name, self._sizes[name])

    def frame(self, name: str) -> Frame:
        file, (width, height) = self._files[name], self._sizes[name]
        return Frame(name=name, sha256=file["sha256"], size=file["size"], width=width, height=height)

    def related(self, names: Sequence[str]) -> Iterator[RelatedImage]:
        """`names`: of the frames."""
        for number, name in enumerate(names) if self._beside else ():
            for beside in self._beside.get(name, ()):
                file = self._files[beside]
                yield RelatedImage(frame=number, name=beside, sha256=file["sha256"], size=file["size"])


def _probe(tools: Tools, files: Sequence[ReceivedFile]) -> dict[str, tuple[int, int]]:
    """Width and height of each, by name. The same content is looked at once."""
    limits = images.Limits(pixels=tools.settings.max_image_pixels)
    names: dict[str, str] = {}
    for file in files:
        names.setdefault(file["sha256"], file["name"])
    found: dict[str, images.ImageInfo] = {}
    waiting = iter(names.items())
    while some := dict(islice(waiting, LOOKED_AT_ONCE)):
        paths = tools.blobs.paths(list(some))
        pictures = [images.Frame(path, name) for path, name in zip(paths, some.values(), strict=True)]
        found |= zip(some, images.probe_all(pictures, limits), strict=True)
    return {file["name"]: (found[file["sha256"]].width, found[file["sha256"]].height) for file in files}
