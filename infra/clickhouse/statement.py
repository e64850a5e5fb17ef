"""Cutting a statement into words, for the few things that are decided before the engine sees it.

The engine's own parser is what counts (access.py asks it); these cuts only find the data behind an INSERT and the
place of an output clause, and a wrong cut is a syntax error, never a permission.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from infra.clickhouse.errors import Code, QueryFailed

_TOKEN = re.compile(
    r"""(?P<skip>\s+|--[^\n]*|\#[\ !][^\n]*|/\*.*?\*/)
      | (?P<quoted>'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
      | (?P<word>[^\W\d]\w*)
      | (?P<other>\d\w*|.)""",
    re.VERBOSE | re.DOTALL,
)
_NAME = re.compile(r"\w+")
_AFTER_FORMAT = re.compile(r"[ \t\f]*\r?\n?")


@dataclass(frozen=True)
class Token:
    text: str
    start: int
    end: int
    depth: int
    """Round brackets that are open around it."""
    quoted: bool

    def says(self, *words: str) -> bool:
        return not self.quoted and self.text.upper() in words


def tokens(sql: str) -> Iterator[Token]:
    """The words, quoted things and signs of `sql`, without blanks and comments."""
    depth = 0
    for match in _TOKEN.finditer(sql):
        if match.lastgroup == "skip":
            continue
        text = match[0]
        depth -= text == ")"
        yield Token(text, match.start(), match.end(), depth, match["quoted"] is not None)
        depth += text == "("


def first_word(sql: str) -> str:
    """The statement's first word in capitals, brackets skipped; empty when there is none."""
    for token in tokens(sql):
        if token.text != "(":
            return "" if token.quoted else token.text.upper()
    return ""


@dataclass(frozen=True)
class Insert:
    """An INSERT whose data follows its head: `INSERT INTO t (a, b)`, the format, and where the data starts."""

    head: str
    format: str
    data_start: int


def split_insert(text: str, complete: bool) -> Insert | None:
    """The head of an INSERT with data behind it; None when it is another statement (or INSERT … SELECT).

    `text` is the start of the statement, one character per byte (latin-1); when it is not `complete` and the head may
    go on behind its end, raises NeedMore. Raises QueryFailed for INSERT … FROM INFILE.
    """
    before: Token | None = None
    clause: Token | None = None
    for token in tokens(text):
        if token.end == len(text) and not complete:
            raise NeedMore
        if clause is not None:
            return Insert(_utf8(text[: clause.start]), token.text, _data_start(text, token.end))
        if before is None and not token.says("INSERT"):
            return None
        if before is not None and token.depth == 0 and not before.says("INTO", "TABLE", "FUNCTION", "."):
            if token.says("SELECT", "WITH"):
                return None
            if token.says("FROM"):
                raise QueryFailed(Code.ACCESS_DENIED, "INSERT FROM INFILE would read a file of the server's machine")
            if token.says("VALUES"):
                return Insert(_utf8(text[: token.start]), "Values", token.end)
            clause = token if token.says("FORMAT") else None
        before = token
    if complete:
        return None
    raise NeedMore


class NeedMore(Exception):
    """The head of the INSERT is longer than what has arrived."""


def _data_start(text: str, end: int) -> int:
    blank = _AFTER_FORMAT.match(text, end)
    return blank.end() if blank else end


def _utf8(text: str) -> str:
    return text.encode("latin-1").decode()


@dataclass(frozen=True)
class Output:
    """Where a statement's result goes: `sql[:at]`, an INTO OUTFILE clause if one is wanted, `sql[at:]`."""

    format: str | None
    at: int
    end: int


def output_clause(sql: str) -> Output:
    """The statement's `FORMAT name` (None when it has none) and the place where an output clause belongs."""
    words = [token for token in tokens(sql) if token.text != ";"]
    end = words[-1].end if words else len(sql)
    for index in range(len(words) - 2, -1, -1):
        token, name = words[index], words[index + 1]
        after = words[index + 2] if index + 2 < len(words) else None
        if token.says("FORMAT") and token.depth == 0 and _NAME.fullmatch(name.text):
            if after is None or after.says("SETTINGS"):
                return Output(name.text, token.start, end)
            break
    return Output(None, end, end)
