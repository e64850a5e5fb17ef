"""The version of this program."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version


def version() -> str:
    try:
        return installed_version("annals")
    except PackageNotFoundError:
        return "not installed"  # runs from a source tree
