"""Forms with files (multipart/form-data), written to the blob store while they arrive."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from api.uploads.incoming import take_in
from domain.errors import Invalid
from domain.events.data import ReceivedFile
from domain.file_names import safe_name
from infra.blobs import BlobStore, BlobWriter

DATA_FILES = re.compile(r"client_files(?:\[(\d{1,9})\])?\Z")
IMPORT_FILE = re.compile(r"(?:annotation|dataset)_file(?:\[(\d{1,9})\])?\Z")
EXAMPLES = {DATA_FILES: "client_files[0], client_files[1] …", IMPORT_FILE: "annotation_file or dataset_file"}
MAX_FIELD_BYTES = 16 * 1024 * 1024
"""Of all fields that aren't files, with their names."""

MAX_HEADER_BYTES = 16 * 1024
"""Of one header of a part: clients send absolute paths as file names, percent-encoded."""


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file of a form; `writer` has all its bytes, which are not yet stored."""

    index: int
    name: str
    writer: BlobWriter


@dataclass(frozen=True, slots=True)
class Form:
    """Files in the order of their indices; the other fields, names and texts, in the order of the form."""

    files: list[FormFile]
    fields: list[tuple[str, str]]

    def commit(self, blobs: BlobStore) -> list[ReceivedFile]:
        """Stores the files; returns when they are on disk. Raises Unavailable."""
        stored = blobs.commit([file.writer for file in self.files])
        return [
            ReceivedFile(name=file.name, sha256=blob.sha256, size=blob.size)
            for file, blob in zip(self.files, stored, strict=True)
        ]


@asynccontextmanager
async def incoming_form(
    request: Request, blobs: BlobStore, max_files: int, max_bytes: int, fields: re.Pattern[str] = DATA_FILES
) -> AsyncIterator[Form]:
    """The request's form, received. What isn't committed when the block ends is thrown away. `fields`: the names under
    which files may come, with the place of the file in its group.

    Raises Invalid for anything but a whole form within the bounds, TooLarge.
    """
    reader = FormReader(blobs, request.headers.get("content-type", ""), max_files, fields)
    try:
        await take_in(request, max_bytes, reader.feed)
        yield reader.finish()
    finally:
        await run_in_threadpool(reader.abort)


class FormReader:
    """Parses one form as it is fed. Not thread-safe; `feed` may be called from a different thread each time."""

    def __init__(
        self, blobs: BlobStore, content_type: str, max_files: int, fields: re.Pattern[str] = DATA_FILES
    ) -> None:
        """Raises Invalid when `content_type` isn't that of a form."""
        self._blobs = blobs
        self._file_fields = fields
        self._max_files = max_files
        self._files: list[FormFile] = []
        self._fields: list[tuple[str, str]] = []
        self._field_bytes = 0
        self._header, self._value = b"", b""
        self._disposition: dict[bytes, bytes] = {}
        self._name = ""
        self._writer: BlobWriter | None = None
        self._text = bytearray()
        self._complete = False
        self._parser = self._make_parser(content_type)

    def feed(self, data: bytes) -> None:
        """Raises Invalid for a malformed form, Unavailable when the disk doesn't take it."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise Invalid([f"Multipart form parse error - {error}"]) from None

    def finish(self) -> Form:
        """Raises Invalid when the form isn't complete."""
        if not self._complete:
            raise Invalid(["Multipart form parse error - the form ends in the middle"])
        return Form(sorted(self._files, key=lambda file: file.index), self._fields)

    def abort(self) -> None:
        """Throw away what isn't stored."""
        for writer in (self._writer, *(file.writer for file in self._files)):
            if writer is not None:
                writer.abort()

    def _make_parser(self, content_type: str) -> MultipartParser:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise Invalid(["Expected a multipart/form-data body with a boundary"])
        try:
            return MultipartParser(
                boundary,
                {
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_end": self._on_end,
                },
                max_header_size=MAX_HEADER_BYTES,
            )
        except FormParserError as error:
            raise Invalid([f"Multipart form parse error - {error}"]) from None

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, self._disposition = parse_options_header(self._value)
        self._header = self._value = b""

    def _on_headers_finished(self) -> None:
        disposition, self._disposition = self._disposition, {}
        self._name = _text(disposition.get(b"name", b""), "the name of a field")
        if not self._name:
            raise Invalid(["Multipart form parse error - a part has no name"])
        filename = disposition.get(b"filename")
        if filename is not None:
            self._begin_file(_text(filename, "a file name"))
        self._count(len(self._name))

    def _begin_file(self, filename: str) -> None:
        place = self._file_fields.match(self._name)
        if place is None:
            raise Invalid({self._name[:100]: [f"Files are expected in {EXAMPLES[self._file_fields]}"]})
        if len(self._files) == self._max_files:
            raise Invalid({"client_files": [f"A form may have at most {self._max_files} files"]})
        name = safe_name(filename)
        index = int(place[1]) if place[1] else len(self._files)
        self._writer = self._blobs.writer()
        self._files.append(FormFile(index, name, self._writer))

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._writer is not None:
            self._writer.write(data[start:end])
        else:
            self._count(end - start)
            self._text += data[start:end]

    def _on_part_end(self) -> None:
        if self._writer is not None:
            # Its file isn't kept open: a form may have more files than a process may open.
            self._writer.end()
            self._writer = None
        else:
            self._fields.append((self._name, _text(bytes(self._text), f"the field {self._name[:100]}")))
        self._text.clear()

    def _on_end(self) -> None:
        self._complete = True

    def _count(self, size: int) -> None:
        # Each field costs more memory than its text: a form of empty ones must come to an end, too.
        self._field_bytes += size + 64
        if self._field_bytes > MAX_FIELD_BYTES:
            raise Invalid(["The form's fields are too long"])


def _text(data: bytes, what: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Invalid([f"Multipart form parse error - {what} is not UTF-8"]) from None
