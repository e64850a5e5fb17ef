"""Why a file is refused, in words that name the file as its owner knows it, never a path of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PIL import UnidentifiedImageError

from domain.errors import AnnalsError, MediaError


class Refused(Exception):
    """What is wrong with a file, to be read after its name: "is empty"."""


@contextmanager
def refusing(name: str) -> Iterator[None]:
    """Turns whatever goes wrong with the content of the file `name` into a MediaError.

    Decoders raise almost anything on hostile input. Errors of the operating system (an errno is
    set: the file is gone, no descriptors are left) say nothing about the content and pass through.
    """
    try:
        yield
    except AnnalsError:
        raise
    except Refused as error:
        raise MediaError(f"{name} {error}") from error
    except UnidentifiedImageError as error:
        raise MediaError(f"{name} is not an image of a kind that this server reads") from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise MediaError(f"{name} is damaged or incomplete and can't be read as an image") from error
