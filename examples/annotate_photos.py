"""The main job, in the words of a CVAT user: photos in, jobs out, annotations submitted, analysts asked.

It knows nothing of Annals: it talks to the server through the unmodified `cvat_sdk`, and to the analytics through the
unmodified `clickhouse-connect`. Run it against any running server:

    python examples/annotate_photos.py --host http://localhost:8080 --username admin --password … --clickhouse-port 8123
"""

from __future__ import annotations

import argparse
import io
import time
from pathlib import Path

import clickhouse_connect
from cvat_sdk import Client, make_client, models
from cvat_sdk.core.proxies.annotations import AnnotationUpdateAction
from cvat_sdk.core.proxies.jobs import Job
from cvat_sdk.core.proxies.tasks import Task
from PIL import Image, ImageOps
from rich.console import Console
from rich.table import Table

PHOTO_TYPES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
LABELS = [
    models.PatchedLabelRequest(
        name="subject",
        attributes=[
            models.AttributeRequest(
                name="view", mutable=False, input_type="select", values=["whole", "part"], default_value="whole"
            ),
            models.AttributeRequest(
                name="sharp", mutable=True, input_type="checkbox", values=["false", "true"], default_value="true"
            ),
        ],
    ),
    models.PatchedLabelRequest(name="background"),
    models.PatchedLabelRequest(name="worth keeping", type="tag"),
]


def main(
    host: str,
    username: str,
    password: str,
    clickhouse_host: str,
    clickhouse_port: int,
    photos: Path,
    console: Console | None = None,
) -> None:
    """Runs the scenario; raises when anything is not as it should be. `photos`: a folder."""
    console = console or Console()
    files = sorted(path for path in photos.iterdir() if path.suffix.lower() in PHOTO_TYPES)
    if not files:
        raise SystemExit(f"There are no photos in {photos}")
    with make_client(host, credentials=(username, password)) as client:
        console.rule("[bold]1. Photos in, jobs out: the one-call way")
        task = create_in_one_call(client, files, console)
        console.rule("[bold]2. The same, step by step: create, upload, poll")
        second = create_step_by_step(client, files, console)
        console.rule("[bold]3. Annotate every job")
        for job in sorted([*task.get_jobs(), *second.get_jobs()], key=lambda job: job.id):
            check_frames(job, files)
            annotate(job)
            job.fetch()
            console.print(
                f"  [green]✓[/] job {job.id}, frames {job.start_frame} to {job.stop_frame}: pixels as in the files,"
                f" annotated, [bold]{job.stage} {job.state}[/]"
            )
        for done in (task, second):
            done.fetch()
            assert done.status == "completed", done.status
        console.print(f"  Tasks {task.id} and {second.id} are [bold]completed[/].")
    console.rule("[bold]4. Who did what? Ask ClickHouse")
    console.print(who_did_what(clickhouse_host, clickhouse_port, [task.id, second.id]))


def create_in_one_call(client: Client, files: list[Path], console: Console) -> Task:
    started = time.perf_counter()
    task = client.tasks.create_from_data(
        spec=models.TaskWriteRequest(name="Photos", labels=LABELS, segment_size=2),
        resources=files,
        data_params={"image_quality": 70},
    )
    jobs = task.get_jobs()
    seconds = time.perf_counter() - started
    assert task.size == len(files), (task.size, len(files))
    assert len(jobs) == -(-len(files) // 2), len(jobs)
    console.print(f"  [green]✓[/] task {task.id}: {len(files)} photos → {len(jobs)} jobs in [bold]{seconds:.2f} s[/]")
    return task


def create_step_by_step(client: Client, files: list[Path], console: Console) -> Task:
    task = client.tasks.create(models.TaskWriteRequest(name="Photos, step by step", labels=LABELS, segment_size=2))
    console.print(f"  [green]✓[/] task {task.id} created, still empty")
    task.upload_data(files, params={"image_quality": 70}, wait_for_completion=False)
    console.print(f"  [green]✓[/] {len(files)} photos uploaded")
    request_id = f"action=create&target=task&target_id={task.id}"
    while True:
        request, _ = client.api_client.requests_api.retrieve(request_id)
        if request.status.value == "finished":
            break
        assert request.status.value in ("queued", "started"), request.message
        time.sleep(0.2)
    task.fetch()
    console.print(f"  [green]✓[/] request finished: {task.size} frames in {len(task.get_jobs())} jobs")
    return task


def check_frames(job: Job, files: list[Path]) -> None:
    """What comes back is what went in, pixel by pixel."""
    infos = job.get_frames_info()
    for offset, info in enumerate(infos):
        frame = job.start_frame + offset
        name = Path(info.name).name
        path = next(path for path in files if path.name == name)
        with Image.open(path) as original, Image.open(job.get_frame(frame, quality="original")) as received:
            expected = ImageOps.exif_transpose(original).convert("RGB")
            assert (info.width, info.height) == expected.size, (info, expected.size)
            assert received.convert("RGB").tobytes() == expected.tobytes(), f"frame {frame} differs from {path}"
        compressed = Image.open(io.BytesIO(job.get_frame(frame, quality="compressed").read()))
        assert compressed.size == (info.width, info.height)


def annotate(job: Job) -> None:
    """Set, update, read back; then hand the job on until it is accepted."""
    labels = {label.name: label for label in job.get_labels()}
    subject, background, keep = labels["subject"], labels["background"], labels["worth keeping"]
    view, sharp = subject.attributes
    infos = job.get_frames_info()
    shapes, keyframes = [], []
    for offset, info in enumerate(infos):
        frame, w, h = job.start_frame + offset, info.width, info.height
        shapes.append(
            models.LabeledShapeRequest(
                type="rectangle", frame=frame, label_id=background.id, points=[0.5, 0.5, w - 0.5, h / 4]
            )
        )
        shapes.append(
            models.LabeledShapeRequest(
                type="polygon",
                frame=frame,
                label_id=subject.id,
                points=[w / 2, h / 4, w * 0.75, h / 2, w / 2, h * 0.75, w / 4, h / 2],
                attributes=[
                    models.AttributeValRequest(spec_id=view.id, value="part"),
                    models.AttributeValRequest(spec_id=sharp.id, value="true"),
                ],
            )
        )
        keyframes.append(
            models.TrackedShapeRequest(
                type="rectangle",
                frame=frame,
                points=[w / 3, h / 3, w / 2 + offset * 10, h / 2],
                attributes=[models.AttributeValRequest(spec_id=sharp.id, value="false")],
            )
        )
    track = models.LabeledTrackRequest(
        frame=job.start_frame,
        label_id=subject.id,
        shapes=keyframes,
        attributes=[models.AttributeValRequest(spec_id=view.id, value="whole")],
    )
    tag = models.LabeledImageRequest(frame=job.start_frame, label_id=keep.id)
    job.set_annotations(models.LabeledDataRequest(tags=[tag], shapes=shapes, tracks=[track]))

    drawn = job.get_annotations()
    assert (len(drawn.tags), len(drawn.shapes), len(drawn.tracks)) == (1, 2 * len(infos), 1)
    moved = drawn.shapes[0]
    moved.points = [point + 1 for point in moved.points]
    update = models.PatchedLabeledDataRequest(
        shapes=[models.LabeledShapeRequest(**{k: v for k, v in moved.to_dict().items() if k != "elements"})]
    )
    job.update_annotations(update, action=AnnotationUpdateAction.UPDATE)
    again = job.get_annotations()
    assert next(shape for shape in again.shapes if shape.id == moved.id).points == moved.points

    job.update({"state": "in progress"})
    job.update({"stage": "validation", "state": "completed"})
    job.update({"stage": "acceptance", "state": "completed"})


def who_did_what(host: str, port: int, task_ids: list[int]) -> Table:
    """The analysts' view. Events arrive within a moment; we wait until the last one has."""
    client = clickhouse_connect.get_client(host=host, port=port)
    accepted = "SELECT count() FROM cvat.events WHERE task_id IN {tasks:Array(UInt64)} AND obj_val = 'acceptance'"
    created = "SELECT count() FROM cvat.events WHERE task_id IN {tasks:Array(UInt64)} AND scope = 'create:job'"
    parameters = {"tasks": task_ids}
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        jobs = client.query(created, parameters=parameters).first_row[0]
        if jobs and client.query(accepted, parameters=parameters).first_row[0] == jobs:
            break
        time.sleep(0.1)
    else:
        raise TimeoutError("the events did not reach ClickHouse within 30 s")
    result = client.query(
        "SELECT user_name, scope, if(endsWith(scope, ':request'), '', obj_name) AS name, count(), sum(count)"
        " FROM cvat.events WHERE task_id IN {tasks:Array(UInt64)} GROUP BY ALL ORDER BY ALL",
        parameters=parameters,
    )
    table = Table("who", "did what", "to what", "times", "objects", title="cvat.events")
    for user, scope, name, events, objects in result.result_rows:
        table.add_row(user or "—", scope, name or "", str(events), str(objects or ""))
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="http://localhost:8080")
    parser.add_argument("--username", default="admin")
    parser.add_argument("--password", required=True)
    parser.add_argument("--clickhouse-host", default="localhost")
    parser.add_argument("--clickhouse-port", type=int, default=8123)
    parser.add_argument("photos", type=Path, nargs="?", default=Path(__file__).parent / "photos")
    given = parser.parse_args()
    main(given.host, given.username, given.password, given.clickhouse_host, given.clickhouse_port, given.photos)
