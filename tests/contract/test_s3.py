"""An API and an agent on machines that share nothing but a database and an S3 bucket."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from cvat_sdk import Client, models
from cvat_sdk.core.proxies.tasks import Task

from infra.blobs import open_blobs, open_exchange
from infra.settings import Settings
from tests.s3.server import S3Server, running_server

from .clips import write_clip
from .conftest import ADMIN, Server
from .pictures import noise
from .test_archives import pack

POLL = 0.1
CVAT = "CVAT 1.1"
PHOTOS = 12


@pytest.fixture(scope="module")
def s3_server() -> Iterator[S3Server]:
    with running_server() as server:
        yield server


@pytest.fixture
def settings(s3_server: S3Server, data_folder: Path) -> Settings:
    """Of the API's machine."""
    place = {"data": data_folder / "api", "blobs_url": s3_server.new_url()}
    return Settings(**place, server_telemetry="off", request_hold_seconds=50)


@pytest.fixture
def server(database_url: str, settings: Settings, data_folder: Path) -> Iterator[Server]:
    server = Server(database_url, settings).start(agents=0)
    server.start_agent(settings.model_copy(update={"data": data_folder / "agent"}))
    try:
        server.add_user(ADMIN, is_admin=True)
        yield server
        server.verify()
    finally:
        server.stop()


def task_of(client: Client, files: list[Path], **params: object) -> Task:
    spec = models.TaskWriteRequest(name="on S3", labels=[models.PatchedLabelRequest(name="car")], segment_size=4)
    return client.tasks.create_from_data(
        spec=spec, resources=files, data_params={"image_quality": 70, **params}, status_check_period=POLL
    )


def test_pictures_go_from_upload_to_export_and_back(
    client: Client, server: Server, settings: Settings, tmp_path: Path
) -> None:
    files = []
    for number in range(PHOTOS):
        files.append(tmp_path / f"{number:02}.jpg")
        files[-1].write_bytes(noise(seed=number))
    task = task_of(client, files)
    assert [len(job.get_frames_info()) for job in task.get_jobs()] == [4, 4, 4]
    assert task.get_frame(3, quality="original").read() == files[3].read_bytes()
    _, answer = client.api_client.tasks_api.retrieve_data(
        task.id, type="chunk", number=0, quality="original", _parse_response=False
    )
    with ZipFile(BytesIO(answer.data)) as chunk:
        assert [chunk.read(name) for name in sorted(chunk.namelist())] == [file.read_bytes() for file in files]
    label = task.get_labels()[0].id
    box = models.LabeledShapeRequest(
        type=models.ShapeType("rectangle"), frame=1, label_id=label, points=[1.0, 2.0, 3.0, 4.0]
    )
    task.set_annotations(models.LabeledDataRequest(shapes=[box]))
    task.export_dataset("CVAT for images 1.1", tmp_path / "export.zip", include_images=True, status_check_period=POLL)
    with ZipFile(tmp_path / "export.zip") as export:
        assert export.read("images/01.jpg") == files[1].read_bytes()
    task.export_dataset("CVAT for images 1.1", tmp_path / "a.zip", include_images=False, status_check_period=POLL)
    task.remove_annotations()
    task.import_annotations(CVAT, tmp_path / "a.zip", status_check_period=POLL)
    assert [shape.points for shape in task.get_annotations().shapes] == [[1.0, 2.0, 3.0, 4.0]]
    assert open_blobs(settings).usage().blobs == PHOTOS
    assert open_exchange(settings).usage().blobs >= 2
    assert not settings.blobs.exists()
    assert not settings.exchange.exists()


def test_archives_and_videos_are_read_from_another_machine(client: Client, tmp_path: Path) -> None:
    packed = task_of(client, [pack(tmp_path / "a.zip", {f"{n}.jpg": noise(seed=n) for n in range(5)})])
    assert packed.size == 5
    assert packed.get_frame(4, quality="original").read() == noise(seed=4)
    clip = task_of(client, [write_clip(tmp_path / "clip.mp4", 10)])
    assert clip.size == 10
    assert clip.get_frame(7).read()
