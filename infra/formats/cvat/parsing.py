"""XML that somebody sent, parsed as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from xml.parsers import expat

from domain.errors import MediaError

MAX_DEPTH = 16
MAX_SILENCE = 64 * 1024 * 1024
"""Bytes of one tag, or between two: the mask of a large image has some megabytes."""

ROOT = "annotations"
Attributes = dict[str, str]


class Elements:
    """One pass over one file. `begin` is told of each element, with its depth and attributes; where it gives False,
    what is in the element does not matter. `end` is told of the end of the others; `text` of their text.

    Nothing may refer to anything else: entities, internal or external, are declared in a document type, and there may
    be none.
    """

    def __init__(
        self,
        name: str,
        begin: Callable[[str, int, Attributes], bool],
        end: Callable[[str], None] = lambda _name: None,
        text: Callable[[str], None] = lambda _text: None,
    ) -> None:
        """`name`: what messages call the file."""
        self._name, self._begin, self._on_end, self._on_text = name, begin, end, text
        self._depth = self._tags = 0
        self._skipped_from: int | None = None
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse_doctype

    def feed(self, pieces: Iterable[bytes]) -> None:
        """All of the file. Raises MediaError, with the line, for what is not in order."""
        silence = 0
        try:
            for piece in pieces:
                before = self._tags
                self._parser.Parse(piece, False)
                silence = silence + len(piece) if self._tags == before else 0
                if silence > MAX_SILENCE:
                    raise self.fault(f"there are more than {MAX_SILENCE >> 20} MiB in one tag, or between two")
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise self.fault(f"this is not well-formed XML: {expat.ErrorString(error.code)}") from None

    def fault(self, message: str) -> MediaError:
        """To be raised: something is wrong here."""
        return MediaError(f"{self._name}, line {self._parser.CurrentLineNumber}: {message}")

    def _start(self, name: str, found: Attributes) -> None:
        self._depth += 1
        self._tags += 1
        if self._depth > MAX_DEPTH:
            raise self.fault(f"elements are nested more than {MAX_DEPTH} deep")
        if self._skipped_from is not None:
            return
        if self._depth == 1 and name != ROOT:
            raise self.fault(f"CVAT's annotations begin with <{ROOT}>, not with <{name}>")
        try:
            if self._depth > 1 and not self._begin(name, self._depth, found):
                self._skipped_from = self._depth
        except KeyError as error:
            raise self.fault(f"<{name}> has no “{error.args[0]}”") from None
        except (ValueError, OverflowError):
            raise self.fault(f"<{name}> has a number that is none") from None

    def _end(self, name: str) -> None:
        self._depth -= 1
        if self._skipped_from is None:
            self._on_end(name)
        elif self._depth < self._skipped_from:
            self._skipped_from = None

    def _text(self, text: str) -> None:
        if self._skipped_from is None:
            self._on_text(text)

    def _refuse_doctype(self, *_: object) -> None:
        raise self.fault("a document type is not accepted")
