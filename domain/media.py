"""Sorting files out by their names: which are pictures, which is a video, which are shown beside a picture."""

from __future__ import annotations

import mimetypes
import posixpath
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from domain.errors import MediaError
from domain.sorting import listed
from domain.splitting import NO_MEDIA

VIDEOS = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm")
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
IMAGES = (".avif", ".webp", ".jp2")  # which not every system's table of media types knows
OTHER_ARCHIVES = (".rar", ".7z", ".gz", ".bz2", ".xz")
MANIFEST = ".jsonl"
RELATED_IMAGES = "related_images"
"""The folder with pictures that are shown beside others: `related_images/<name>_<extension>/…`, as in CVAT."""


@dataclass(frozen=True)
class Media:
    """What a task is made from: `images`, in the order in which they were given, or one `video`.

    `related`: image → those that are shown beside it. `manifest`: the file that tells the order of the images.
    """

    images: Sequence[str] = ()
    video: str | None = None
    manifest: str | None = None
    related: Mapping[str, Sequence[str]] = field(default_factory=dict)


def archive_among(names: Sequence[str]) -> str | None:
    """The archive that was sent in place of files, if one was. Raises MediaError for one among other files."""
    archives = [name for name in names if name.lower().endswith(ARCHIVES)]
    others = [name for name in names if name not in archives and not is_manifest(name)]
    if not archives:
        return None
    if len(archives) > 1 or others:
        raise MediaError(f"Only one archive can be used, and no files beside it; there are {listed(list(names))}")
    return archives[0]


def sort_out(names: Iterable[str], *, gathered: bool = False) -> Media:
    """`gathered`: the files were found in a folder or an archive; what is no picture is passed over then.

    Raises MediaError for files that can't be used, or not together.
    """
    images: list[str] = []
    videos: list[str] = []
    manifests: list[str] = []
    related: list[str] = []
    for name in names:
        if is_manifest(name):
            manifests.append(name)
        elif _is_video(name):
            videos.append(name)
        elif not gathered or _is_image(name):
            (related if _is_related(name) else images).append(name)
    if len(manifests) > 1:
        raise MediaError(f"Only one manifest can be used; there are {listed(manifests)}")
    if len(videos) > 1 or (videos and images):
        raise MediaError(f"Only one video can be used, and no images beside it; there are {listed(videos + images)}")
    if not videos and not images:
        raise MediaError(NO_MEDIA)
    manifest = manifests[0] if manifests else None
    if videos:
        return Media(video=videos[0], manifest=manifest)
    return Media(images, None, manifest, _beside(images, related))


def related_folder(image: str) -> str:
    """Where the pictures are that are shown beside an image."""
    folder, base = posixpath.split(image)
    stem, dot, extension = base.rpartition(".")
    return posixpath.join(folder, RELATED_IMAGES, f"{stem}_{extension}" if dot else base)


def is_manifest(name: str) -> bool:
    return name.lower().endswith(MANIFEST)


def kind(name: str) -> str:
    """What a file is, by its name and in CVAT's words: image, video, zip, archive or unknown."""
    lower = name.lower()
    if lower.endswith((*ARCHIVES, *OTHER_ARCHIVES)):
        return "zip" if lower.endswith(".zip") else "archive"
    if lower.endswith(VIDEOS):
        return "video"
    media_type = mimetypes.guess_type(lower)[0] or ""
    if (media_type.startswith("image/") and "svg" not in media_type) or lower.endswith(IMAGES):
        return "image"
    return "video" if media_type.startswith("video/") else "unknown"


def _is_video(name: str) -> bool:
    """Raises MediaError for what this server can't read."""
    found = kind(name)
    if found in ("zip", "archive"):
        raise MediaError(f"{name} is an archive of a kind, or in a place, that this server does not read")
    if found == "video" and not name.lower().endswith(VIDEOS):
        raise MediaError(f"{name} is a video of a kind that this server does not read; it reads {', '.join(VIDEOS)}")
    return found == "video"


def _is_image(name: str) -> bool:
    hidden = posixpath.basename(name).startswith(".") or name.startswith("__MACOSX/")
    return kind(name) == "image" and not hidden


def _is_related(name: str) -> bool:
    return RELATED_IMAGES in name.split("/")[:-1]


def _beside(images: Sequence[str], related: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Image → what is shown beside it; pictures that belong to no image are left out."""
    folders = defaultdict(list)
    for name in related:
        folders[posixpath.dirname(name)].append(name)
    beside = {}
    for image in images if folders else ():
        found = folders.get(related_folder(image))
        if found:
            beside[image] = sorted(found)
    return beside
