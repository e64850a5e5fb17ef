"""The image holds what the project is: its packages, its dependencies, and nothing that only embedded engines need."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .commands import DOCKER, check_command, load

PROJECT = tomllib.loads((DOCKER.parent / "pyproject.toml").read_text())
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
LEFT_OUT = set(re.findall(r"^([a-z][\w-]*)$", (DOCKER / "not-in-the-image.txt").read_text(), re.MULTILINE))


def pins() -> dict[str, list[str]]:
    """By name; a package may be pinned once for each version of Python."""
    found: dict[str, list[str]] = {}
    for line in (DOCKER / "requirements.txt").read_text().splitlines():
        if pin := re.match(r"([\w.-]+)==([^\s;]+)(?: ; ([^\\]+))?", line):
            found.setdefault(canonicalize_name(pin[1]), []).append(pin[2])
    return found


def wanted() -> list[Requirement]:
    project = PROJECT["project"]
    texts = project["dependencies"] + project["optional-dependencies"]["formats"]
    environment = {**default_environment(), "extra": ""}
    found = [Requirement(text) for text in texts]
    return [one for one in found if one.marker is None or one.marker.evaluate(environment)]


@pytest.mark.parametrize("requirement", wanted(), ids=lambda requirement: requirement.name)
def test_every_dependency_is_pinned_or_left_out_on_purpose(requirement: Requirement) -> None:
    name = canonicalize_name(requirement.name)
    if name in LEFT_OUT:
        assert name not in pins()
    else:
        assert all(requirement.specifier.contains(version) for version in pins()[name]), "run `make pins`"


def test_every_pin_has_its_hash() -> None:
    for file in ("requirements.txt", "build-requirements.txt"):
        entries = re.split(r"\n(?=\S)", (DOCKER / file).read_text())
        assert all("--hash=sha256:" in entry for entry in entries if not entry.startswith("#"))


def test_every_package_is_copied() -> None:
    packages = {name.rstrip("*") for name in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE, re.MULTILINE)) == packages
    allowed = {line[1:] for line in (DOCKER / "Dockerfile.dockerignore").read_text().splitlines() if line[0] == "!"}
    assert packages <= allowed
    assert all((DOCKER.parent / name).exists() for name in allowed)


def test_it_runs_as_nobody_in_particular() -> None:
    assert "USER 10001:10001\n" in DOCKERFILE
    assert "uid=10001,gid=10001" in load("compose.yaml")["x-annals"]["tmpfs"][1]
    assert "runAsUser: 10001\n" in (DOCKER / "kubernetes" / "annals" / "templates" / "_pod.tpl").read_text()


def test_process_1_passes_signals_on() -> None:
    assert 'ENTRYPOINT ["tini", "--", "annals"]\n' in DOCKERFILE
    check_command(["api"])
    check_command(["health"])
    assert 'CMD ["annals", "health"]\n' in DOCKERFILE


def test_the_versions_agree() -> None:
    version = PROJECT["project"]["version"]
    assert f"ARG VERSION={version}\n" in DOCKERFILE
    assert load("compose.yaml")["services"]["api"]["image"] == f"${{ANNALS_IMAGE:-annals:{version}}}"
    assert load("kubernetes/annals/Chart.yaml")["appVersion"] == version
