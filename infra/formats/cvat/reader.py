"""annotations.xml read as a stream: by image, by track, or both. Nothing in it is trusted."""

from __future__ import annotations

from collections.abc import Iterable

from domain.annotation.document import KINDS, SOURCES, Document, Item, Limits
from domain.annotation.points import fault_of, surely_valid
from infra.formats.cvat.geometry import TYPES
from infra.formats.cvat.geometry import read as read_points
from infra.formats.cvat.head import Head, ToldTask
from infra.formats.cvat.listing import subset_of
from infra.formats.cvat.parsing import Attributes, Elements
from infra.formats.cvat.tracks import OpenTrack
from infra.formats.model import Label
from infra.formats.target import AttributeText, Target

MAX_OBJECTS = Limits().objects


def read(pieces: Iterable[bytes], name: str, target: Target, subset: str | None = None) -> Document:
    """What the file holds, with the ids of the target's labels and attributes and the numbers of its frames. `name`:
    what messages call the file; `subset`: of a dataset, only this one counts, of whose tasks the target is made. Raises
    MediaError, with the line, for whatever is not in order.
    """
    reader = _Reader(name, target, subset)
    reader.elements.feed(pieces)
    return reader.document


class _Open:
    """A shape or tag between its start and its end."""

    __slots__ = ("item", "label", "texts")

    def __init__(self, item: Item | None, label: Label) -> None:
        self.item, self.label = item, label
        self.texts: list[AttributeText] = []


class _Reader:
    """One pass over one file."""

    def __init__(self, name: str, target: Target, subset: str | None) -> None:
        self.document: Document = {kind: [] for kind in KINDS}
        self.elements = Elements(name, self._begin, self._end, self._characters)
        self._fault = self.elements.fault
        self._target, self._subset = target, subset
        self._head = Head(self._fault)
        self._told: ToldTask | None = None  # of the open track, where several tasks become one
        self._objects = 0
        self._frame: int | None = None  # of the image, or of the track's keyframe, that is open
        self._track: OpenTrack | None = None
        self._open: list[_Open] = []
        self._text: list[str] | None = None
        self._attribute = ""

    def _begin(self, name: str, depth: int, found: Attributes) -> bool:
        if name in TYPES and (self._frame is not None or self._track is not None):
            self._open.append(self._point(name, found) if self._open else self._figure(name, found))
        elif name == "attribute" and self._open:
            self._attribute, self._text = found["name"], []
        elif name in ("image", "track") and depth == 2 and self._subset in (None, subset_of(found)):
            self._begin_part(name, found)
        elif name == "tag" and self._frame is not None and self._track is None and not self._open:
            label = self._label(name, found)
            self._open.append(_Open(_drawn(label, found) | {"frame": self._frame}, label))
        else:
            return self._head.begin(name, depth)
        return True

    def _begin_part(self, name: str, found: Attributes) -> None:
        if name == "image":
            self._frame = self._find_frame(found)
        else:
            self._track = OpenTrack(self._label(name, found), int(found.get("group_id", 0)), _source(found))
            self._told = self._head.task(found.get("task_id")) if self._subset is not None else None

    def _end(self, name: str) -> None:
        if name == "attribute" and self._text is not None:
            self._open[-1].texts.append((self._attribute, "".join(self._text)))
            self._text = None
        elif name in TYPES or name == "tag":
            self._close(name)
        elif name == "image":
            self._frame = None
        elif name == "track" and self._track is not None:
            self._end_track(self._track)
        else:
            self._head.end()

    def _end_track(self, track: OpenTrack) -> None:
        """Where the subset's next task begins, it shows nothing any more."""
        end = None if self._told is None else self._target.frames.numbered(self._told.end)
        shapes, tracks = track.closed(end)
        self.document["shapes"] += shapes
        self.document["tracks"] += tracks
        self._track = self._frame = None

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)
        else:
            self._head.text(text)

    def _figure(self, name: str, found: Attributes) -> _Open:
        """A shape of an image, or a keyframe of a track."""
        if self._track is not None:
            self._frame = self._find_source(name, int(found["frame"]))
            return _Open(self._keyframe(name, found), self._track.label)
        label = self._label(name, found)
        item = self._shape(name, found, label)
        if "score" in found:
            item["score"] = float(found["score"])
        if name == "skeleton":
            item["elements"] = []
        return _Open(item, label)

    def _point(self, name: str, found: Attributes) -> _Open:
        """A point of the skeleton that is open."""
        skeleton = self._open[0]
        shape_type = "skeleton" if skeleton.item is None else skeleton.item["type"]
        if len(self._open) > 1 or name == "skeleton" or shape_type != "skeleton":
            raise self._fault(f"<{name}> stands in a shape; only skeletons have points, and these no more of their own")
        label = self._label(name, found, skeleton.label.name)
        if self._track is not None:
            return _Open(self._keyframe(name, found), label)
        return _Open(self._shape(name, found, label), label)

    def _shape(self, name: str, found: Attributes, label: Label) -> Item:
        return {**_drawn(label, found), **self._geometry(name, found), "frame": self._frame}

    def _keyframe(self, name: str, found: Attributes) -> Item | None:
        """None for what stands between keyframes."""
        return {**self._geometry(name, found), "frame": self._frame} if found.get("keyframe", "1") == "1" else None

    def _geometry(self, name: str, found: Attributes) -> Item:
        shape_type, points = TYPES[name], read_points(name, found)
        if not surely_valid(points, shape_type) and (fault := fault_of(points, shape_type)):
            raise self._fault(f"<{name}>: {fault}")
        return {
            "type": shape_type,
            "points": points,
            "occluded": found.get("occluded") == "1",
            "outside": found.get("outside") == "1",
            "z_order": int(found.get("z_order", 0)),
            "rotation": float(found.get("rotation", 0)),
        }

    def _close(self, name: str) -> None:
        done = self._open.pop()
        self._objects += 1
        if self._objects > MAX_OBJECTS:
            raise self._fault(f"there are more than {MAX_OBJECTS:,} objects")
        if done.item is None:
            return
        attributes = self._target.attributes(done.label, done.texts) if done.texts else []
        if self._track is not None:
            parent = self._open[0] if self._open else None
            self._track.add(done.item, attributes, None if parent is None else done.label)
            return
        done.item["attributes"] = [item for _, item in attributes]
        if self._open:
            assert self._open[0].item is not None
            self._open[0].item["elements"].append(done.item)
        else:
            self.document["tags" if name == "tag" else "shapes"].append(done.item)

    def _label(self, element: str, found: Attributes, parent: str | None = None) -> Label:
        label = self._target.label(found["label"], parent)
        if label is None:
            where = f"in the skeleton “{parent}”" if parent is not None else "here"
            raise self._fault(f"<{element}> has the label “{found['label']}”, which there is not {where}")
        return label

    def _find_frame(self, found: Attributes) -> int:
        name = found["name"]
        frame = self._target.frames.find(name, int(found["id"]) if "id" in found else None)
        if frame is None:
            raise self._fault(f"there is no frame for the image “{name}”")
        return frame

    def _find_source(self, element: str, source: int) -> int:
        number = source if self._told is None else self._told.frame(source)
        frame = None if number is None else self._target.frames.numbered(number)
        if frame is None:
            raise self._fault(f"<{element}> is on frame {source}, which there is not")
        return frame


def _drawn(label: Label, found: Attributes) -> Item:
    """What shapes and tags have in common."""
    return {"label_id": label.id, "group": int(found.get("group_id", 0)), "source": _source(found)}


def _source(found: Attributes) -> str:
    source = found.get("source", "manual").lower()
    return source if source in SOURCES else "manual"
