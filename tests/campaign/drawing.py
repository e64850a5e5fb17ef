"""What annotators draw: documents as clients send them, with a share of every kind."""

from __future__ import annotations

from random import Random
from typing import Any

WIDTH, HEIGHT = 1920, 1080

LABELS: dict[str, list[dict[str, Any]]] = {
    "street scenes": [
        {"name": "car", "attributes": [{"name": "parked", "input_type": "checkbox", "values": ["false"]}]},
        {"name": "pedestrian"},
        {"name": "traffic light", "type": "rectangle"},
        {"name": "bicycle"},
        {"name": "night", "type": "tag"},
    ],
    "supermarket shelves": [
        {"name": "product"},
        {"name": "price tag"},
        {"name": "gap"},
        {"name": "blurred", "type": "tag"},
    ],
    "lung scans": [{"name": "nodule", "type": "polygon"}, {"name": "vessel", "type": "polyline"}, {"name": "artefact"}],
}
"""Project → its labels, from the most used to the least."""

FORMS = {"rectangle": (2, 0.7), "polygon": (6, 0.2), "polyline": (4, 0.05), "points": (3, 0.05)}
"""Shape type → its points, and its share where the label leaves the choice."""


def document(random: Random, labels: list[dict[str, Any]], frames: range, amount: int) -> dict[str, list[Any]]:
    """About `amount` objects on some of the frames. `labels`: as recorded (id, name, type)."""
    drawn: dict[str, list[Any]] = {"shapes": [], "tags": [], "tracks": []}
    for _ in range(amount):
        label = labels[min(int(random.expovariate(1.1)), len(labels) - 1)]
        frame = random.choice(frames)
        if label["type"] == "tag":
            drawn["tags"].append({"frame": frame, "label_id": label["id"]})
        elif label["type"] == "any" and random.random() < 0.04:
            drawn["tracks"].append(_track(random, label["id"], frames))
        else:
            drawn["shapes"].append({"label_id": label["id"], **_shape(random, frame, label["type"])})
    return drawn


def redrawn(random: Random, shape: dict[str, Any]) -> dict[str, Any]:
    """The same a little to the right."""
    return {**shape, "points": [round(value + random.random(), 2) for value in shape["points"]]}


def _shape(random: Random, frame: int, kind: str) -> dict[str, Any]:
    form = random.choices(list(FORMS), [share for _, share in FORMS.values()])[0] if kind == "any" else kind
    x, y = random.random() * (WIDTH - 200), random.random() * (HEIGHT - 200)
    points = [round(at + random.random() * 200, 2) for _ in range(FORMS[form][0]) for at in (x, y)]
    return {"type": form, "frame": frame, "points": points}


def _track(random: Random, label_id: int, frames: range) -> dict[str, Any]:
    keyframes = [_shape(random, frame, "rectangle") for frame in (frames[0], frames[-1])]
    return {"frame": frames[0], "label_id": label_id, "shapes": keyframes}
