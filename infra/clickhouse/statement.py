"""Cutting a statement into words, for the few things that are decided before the engine sees it.

The engine's own parser is what counts (access.py asks it); these cuts only find the data behind an INSERT and the
place of an output clause, and a wrong cut is a syntax error, never a permission.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from infra.clickhouse.errors import Code, QueryFailed

# Possessive repetition (*+) and `find` keep the time linear in the text, whatever a stranger sends.
_TOKEN = re.compile(
    r"""(?P<skip>\s+|--[^\n]*|\#[\ !][^\n]*|/\*.*?\*/)
      | (?P<quoted>'(?:[^'\\]|\\.|'')*+'|`(?:[^`\\]|\\.|``)*+`|"(?:[^"\\]|\\.|"")*+")
      | (?P<open>['`"]|/\*)
      | (?P<tag>\$\w*\$)
      | (?P<word>(?:[^\W\d]|\$)[\w$]*)
      | (?P<other>\d\w*|.)""",
    re.VERBOSE | re.DOTALL,
)
_UNPAIRED_TAGS = 16
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
    unclosed: bool = False
    """The beginning of a quotation or a comment that does not end."""

    def says(self, *words: str) -> bool:
        return not self.quoted and self.text.upper() in words


def tokens(sql: str) -> Iterator[Token]:
    """The words, quoted things and signs of `sql`, without blanks and comments; what does not end is the last one."""
    depth = unpaired = end = 0
    while match := _TOKEN.match(sql, end):
        kind, start, end = match.lastgroup, match.start(), match.end()
        if kind == "tag" and unpaired < _UNPAIRED_TAGS:  # $tag$ … $tag$ is a quotation, an unpaired $tag$ a word
            close = sql.find(match[0], end)
            kind, end = ("word", end) if close < 0 else ("quoted", close + len(match[0]))
            unpaired += close < 0
        if kind == "skip":
            continue
        text = sql[start:end]
        depth -= text == ")"
        yield Token(text, start, end, depth, kind == "quoted", kind == "open")
        if kind == "open":
            return
        depth += text == "("


def first_word(sql: str) -> str:
    """The statement's first word in capitals, brackets skipped; empty when there is none."""
    for token in tokens(sql):
        if token.text != "(":
            return "" if token.quoted else token.text.upper()
    return ""


@dataclass(frozen=True)
class Insert:
    """An INSERT whose data follows its head: `INSERT INTO t (a, b)`, `SETTINGS …` or nothing, the format, and where the
    data starts.
    """

    head: str
    settings: str
    format: str
    data_start: int = 0


def split_insert(text: str, complete: bool) -> Insert | None:
    """The head of an INSERT with data behind it; None when it is another statement (or INSERT … SELECT).

    `text` is the start of the statement, one character per byte (latin-1); when it is not `complete` and the head may
    go on behind its end, raises NeedMore. Raises QueryFailed for INSERT … FROM INFILE.
    """
    before: Token | None = None
    settings: Token | None = None
    clause: Token | None = None
    for token in tokens(text):
        if _breaks_off(token, text, complete):
            return None
        if clause is not None:
            data_start = _data_start(text, token.end, complete)
            return Insert(*_parted(text, settings, clause), token.text, data_start)
        if before is None and not token.says("INSERT"):
            return None
        if before is not None and token.depth == 0 and not before.says("INTO", "TABLE", "FUNCTION", "."):
            if token.says("SELECT", "WITH"):
                return None
            if token.says("FROM"):
                raise QueryFailed(Code.ACCESS_DENIED, "INSERT FROM INFILE would read a file of the server's machine")
            if token.says("VALUES"):
                return Insert(*_parted(text, settings, token), "Values", token.end)
            settings = settings or (token if token.says("SETTINGS") else None)
            clause = token if token.says("FORMAT") else None
        before = token
    if complete:
        return None
    raise NeedMore


class NeedMore(Exception):
    """The head of the INSERT is longer than what has arrived."""


def _breaks_off(token: Token, text: str, complete: bool) -> bool:
    if not complete and (token.unclosed or token.end == len(text)):
        raise NeedMore
    return token.unclosed


def _parted(text: str, settings: Token | None, clause: Token) -> tuple[str, str]:
    """What is before the clause of the format: the head, and the SETTINGS that may be between."""
    end = settings.start if settings else clause.start
    return _utf8(text[:end]), _utf8(text[end : clause.start])


def _data_start(text: str, end: int, complete: bool) -> int:
    """Behind the first line break after the format, or behind the blanks when there is none: as ClickHouse does."""
    blank = _AFTER_FORMAT.match(text, end)
    start = blank.end() if blank else end
    if start == len(text) and text[start - 1] != "\n" and not complete:
        raise NeedMore
    return start


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
