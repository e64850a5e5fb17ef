"""`annals demo`: the main job on real photos, from an empty folder to the proof that nothing was lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import read_settings

if TYPE_CHECKING:
    from cli.serving.server_file import ServerInfo
    from infra.settings import Settings

START_SECONDS = 120.0
STOP_SECONDS = 90.0
TOLD_EVENTS = 1_000
EXAMPLES = "share/annals/examples"
"""Where an installation puts the folder examples/ of the source tree."""


def demo(
    photos: Annotated[Path | None, typer.Argument(help="A folder of photos; left out: the ones that we bring.")] = None,
    data: Annotated[Path | None, typer.Option(help="A folder to keep; left out: a temporary one.")] = None,
) -> None:
    """Start a server, annotate photos through CVAT's own client, tell what happened, and prove that it is all there."""
    example = _example()
    photos = photos or example.parent / "photos"
    if not photos.is_dir():
        raise typer.BadParameter(f"{photos} is not a folder", param_hint="PATH")
    _forget_settings()
    with _folder(data) as folder:
        settings = read_settings(folder)
        typer.echo(f"Starting a server on {settings.data} …")
        with _server(settings) as server:
            _annotate(example, settings, server, photos)
            _tell_and_verify(settings)


def _forget_settings() -> None:
    """The demo stands alone: the environment's settings are those of another server, and would draw it there."""
    import os

    for name in [name for name in os.environ if name.startswith("ANNALS_")]:
        del os.environ[name]


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    """The given one; or a temporary one, which goes away when all went well."""
    import shutil
    import tempfile

    if given is not None:
        yield given
        return
    place = Path(tempfile.mkdtemp(prefix="annals-demo-"))
    place.chmod(0o711)  # for PostgreSQL's own account, when we are root
    yield place / "data"
    shutil.rmtree(place)


@contextmanager
def _server(settings: Settings) -> Iterator[ServerInfo]:
    """A running server of its own."""
    import os
    import subprocess
    import time

    from cli.serving.child import command
    from cli.serving.server_file import running_server
    from domain.errors import Unavailable

    arguments = ["serve", "--data", str(settings.data), "--port", "0", "--clickhouse-port", "0"]
    # In a process group of its own: Ctrl-C stops the scenario, and then we stop the server in order.
    process = subprocess.Popen(**command(arguments, os.environ), stdin=subprocess.DEVNULL, process_group=0)
    try:
        deadline = time.monotonic() + START_SECONDS
        while (server := running_server(settings.run)) is None or server.pid != process.pid:
            if process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable(f"The server did not start: see {settings.data / 'logs'}")
            time.sleep(0.05)
        yield server
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)
    if process.returncode != 0:
        raise Unavailable(f"The server did not stop in order: see {settings.data / 'logs'}")


def _annotate(example: Path, settings: Settings, server: ServerInfo, photos: Path) -> None:
    from urllib.parse import urlsplit

    from cli.serving.first_user import USERNAME, admin_password
    from domain.errors import NotFound

    password = admin_password(settings)
    if password is None:
        raise NotFound(f"The password of {USERNAME} is not in {settings.admin_password_file}")
    place = urlsplit(server.clickhouse_url)
    scenario = _load(example)
    scenario.main(server.url, USERNAME, password, place.hostname, place.port, photos)


def _load(example: Path) -> Any:
    """The example as a module. It is no part of our packages: it must work for whoever copies the one file."""
    import importlib.util

    from domain.errors import NotFound

    spec = importlib.util.spec_from_file_location(example.stem, example)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ModuleNotFoundError as error:
        raise NotFound(f"The demo needs {error.name}: pip install 'annals[demo]'") from error
    return module


def _example() -> Path:
    """In the source tree, or where an installation has put it."""
    import sysconfig

    from domain.errors import NotFound

    places = [Path(__file__).parents[1] / "examples", Path(sysconfig.get_path("data")) / EXAMPLES]
    for place in places:
        if (place / "annotate_photos.py").exists():
            return place / "annotate_photos.py"
    raise NotFound(f"The example is missing: it should be in {' or '.join(map(str, places))}")


def _tell_and_verify(settings: Settings) -> None:
    from rich.console import Console

    from cli import events, verify

    console = Console()
    console.rule("[bold]5. What happened, event by event (annals events tail)")
    events.tail(limit=TOLD_EVENTS, data=settings.data)
    console.rule("[bold]6. Is it all there? (annals verify)")
    if verify.check(settings) != "equal":
        raise typer.Exit(1)
