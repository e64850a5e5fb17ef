"""Cutting statements: the data behind an INSERT, the place for an output clause."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.clickhouse.errors import QueryFailed
from infra.clickhouse.statement import Insert, NeedMore, first_word, output_clause, split_insert, tokens


@pytest.mark.parametrize(
    ("text", "head", "settings", "format_name", "data"),
    [
        ("INSERT INTO t FORMAT Native\n\x00\x01", "INSERT INTO t ", "", "Native", "\x00\x01"),
        ("insert into t (a, b) format CSV 1,2", "insert into t (a, b) ", "", "CSV", "1,2"),
        ("INSERT INTO t FORMAT TSV \r\n\n1", "INSERT INTO t ", "", "TSV", "\n1"),
        ("INSERT INTO t VALUES (1), (2)", "INSERT INTO t ", "", "Values", " (1), (2)"),
        (
            "INSERT INTO t SETTINGS a = 'FORMAT x' FORMAT CSV\nx",
            "INSERT INTO t ",
            "SETTINGS a = 'FORMAT x' ",
            "CSV",
            "x",
        ),
        (
            "INSERT INTO t (format, `values`) /* FORMAT x */ FORMAT CSV\n'",
            "INSERT INTO t (format, `values`) /* FORMAT x */ ",
            "",
            "CSV",
            "'",
        ),
        ("INSERT INTO d.values VALUES (1)", "INSERT INTO d.values ", "", "Values", " (1)"),
        (
            "INSERT INTO settings (settings) settings a=1 VALUES(1)",
            "INSERT INTO settings (settings) ",
            "settings a=1 ",
            "Values",
            "(1)",
        ),
        ("-- x\nINSERT INTO `t\\`x` FORMAT CSV\n", "-- x\nINSERT INTO `t\\`x` ", "", "CSV", ""),
    ],
)
def test_inserts_with_data(text: str, head: str, settings: str, format_name: str, data: str) -> None:
    insert = split_insert(text, complete=True)
    assert insert == Insert(head, settings, format_name, len(text) - len(data))
    cut = 0
    while cut < len(text):  # however it arrives, it is cut at the same place
        try:
            assert split_insert(text[:cut], complete=False) == insert
            break
        except NeedMore:
            cut += 1


@pytest.mark.parametrize(
    "text", ["SELECT 1", "INSERT INTO t SELECT 1", "INSERT INTO t WITH 1 AS x SELECT x", "", "/* INSERT */"]
)
def test_statements_without_data(text: str) -> None:
    assert split_insert(text, complete=True) is None


def test_a_file_of_the_machine_is_no_data() -> None:
    with pytest.raises(QueryFailed):
        split_insert("INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV", complete=True)


@pytest.mark.parametrize(
    ("sql", "format_name", "rest"),
    [
        ("SELECT 1", None, ""),
        ("SELECT 1 ; -- FORMAT CSV", None, " ; -- FORMAT CSV"),
        ("SELECT 1 FORMAT JSON", "JSON", "FORMAT JSON"),
        ("SELECT 1 format JSON settings a=1;", "JSON", "format JSON settings a=1;"),
        ("SELECT format FROM (SELECT 1 AS format FORMAT x)", None, ""),
        ("SELECT 1 AS format, 2", None, ""),
        ("SELECT 'FORMAT CSV'", None, ""),
    ],
)
def test_where_a_result_goes(sql: str, format_name: str | None, rest: str) -> None:
    output = output_clause(sql)
    assert (output.format, sql[output.at :]) == (format_name, rest)


def test_first_words() -> None:
    assert [first_word(sql) for sql in ("/* a */ ( select 1)", "", "'x'", "-- a\nDrop")] == ["SELECT", "", "", "DROP"]


@given(st.text(alphabet="a '`\"\\-/*#$();\n", max_size=60))
def test_any_text_is_cut_without_loss(sql: str) -> None:
    end = 0
    for token in tokens(sql):
        assert end <= token.start < token.end
        assert sql[token.start : token.end] == token.text
        end = token.end


@pytest.mark.parametrize("piece", ["'", "`\\", "/*", "$a$ ", "''", "$$ '", "-- ", "(", "\\"])
def test_no_text_takes_long(piece: str) -> None:
    """A second at most, of the processor. With the square of the length it would be half an hour."""
    repeated = piece * (256 * 1024 // len(piece))
    began = time.process_time()
    split_insert("INSERT INTO t " + repeated, complete=True)
    output_clause(repeated)
    assert time.process_time() - began < 30


def test_no_number_of_tags_takes_long() -> None:
    text = "SELECT " + " ".join(f"$a{n}$" for n in range(30_000))
    began = time.process_time()
    split_insert(text, complete=True)
    output_clause(text)
    assert time.process_time() - began < 30
