"""Shapes and tags as XML, written as text: a million of them pass through here, so there is no tree of nodes."""

from __future__ import annotations

from collections.abc import Iterable

from domain.annotation.document import Item
from infra.formats.cvat.geometry import ELEMENTS, written
from infra.formats.cvat.text import in_attribute, in_element
from infra.formats.model import Labels

INDENT = "  "


class Objects:
    """Writes the objects of one dataset; what its labels need is made once."""

    def __init__(self, labels: Labels) -> None:
        self._labels = {label.id: in_attribute(label.name) for label in labels.all}
        self._attributes = {
            attribute.id: f'<attribute name="{in_attribute(attribute.name)}">'
            for attribute in labels.attributes.values()
        }

    def name(self, label_id: int) -> str:
        """A label's name, as it may stand in an XML attribute."""
        return self._labels[label_id]

    def knows(self, label_id: int) -> bool:
        """Whether there still is such a label: of a skeleton's points some may be gone."""
        return label_id in self._labels

    def shape(self, shape: Item, pad: str) -> str:
        """`pad`: the line end and indentation before the element."""
        if shape["type"] == "skeleton":
            return self._skeleton(shape, pad)
        element = ELEMENTS[shape["type"]]
        return (
            f'{pad}<{element} label="{self._labels[shape["label_id"]]}" source="{shape["source"]}"'
            f' occluded="{shape["occluded"]:d}" {written(shape)} z_order="{shape["z_order"]}"{_extras(shape)}>'
            f"{self.attributes(shape['attributes'], pad + INDENT)}{pad}</{element}>"
        )

    def tag(self, tag: Item, pad: str) -> str:
        name = self._labels[tag["label_id"]]
        return (
            f'{pad}<tag label="{name}" source="{tag["source"]}"{group(tag)}>'
            f"{self.attributes(tag['attributes'], pad + INDENT)}{pad}</tag>"
        )

    def attributes(self, attributes: Iterable[Item], pad: str) -> str:
        """Those that a label still has."""
        if not attributes:
            return ""
        starts = self._attributes
        return "".join(
            [
                f"{pad}{starts[item['spec_id']]}{in_element(item['value'])}</attribute>"
                for item in attributes
                if item["spec_id"] in starts
            ]
        )

    def _skeleton(self, shape: Item, pad: str) -> str:
        points = [element for element in shape["elements"] if self.knows(element["label_id"])]
        elements = "".join(self._element(point, pad + INDENT) for point in points)
        return (
            f'{pad}<skeleton label="{self._labels[shape["label_id"]]}" source="{shape["source"]}"'
            f'{when_set(shape, "occluded")} z_order="{shape["z_order"]}"{_extras(shape)}>'
            f"{elements}{self.attributes(shape['attributes'], pad + INDENT)}{pad}</skeleton>"
        )

    def _element(self, shape: Item, pad: str) -> str:
        """One point of a skeleton."""
        element = ELEMENTS[shape["type"]]
        return (
            f'{pad}<{element} label="{self._labels[shape["label_id"]]}" source="{shape["source"]}"'
            f' outside="{shape["outside"]:d}" occluded="{shape["occluded"]:d}" {written(shape)}{group(shape)}>'
            f"{self.attributes(shape['attributes'], pad + INDENT)}{pad}</{element}>"
        )


def group(item: Item) -> str:
    return f' group_id="{item["group"]}"' if item["group"] else ""


def when_set(shape: Item, *flags: str) -> str:
    """Flags that CVAT's files leave out of these elements: unset they are not there, and set they are not lost."""
    return "".join(f' {flag}="1"' for flag in flags if shape[flag])


def _extras(shape: Item) -> str:
    """What most shapes don't have."""
    score = shape.get("score", 1)
    certain = group(shape) if score == 1 else f'{group(shape)} score="{score}"'
    return f'{certain} outside="1"' if shape["outside"] else certain
