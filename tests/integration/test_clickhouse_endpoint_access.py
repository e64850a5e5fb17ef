"""What readers of the embedded ClickHouse try, and must not get."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.clickhouse.process import EndpointProcess

PASSWORD = "writer's"
SYNTAX, READONLY, DENIED, CONSTANT = 62, 164, 497, 452


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file on the machine that no query may show."""
    path = tmp_path_factory.mktemp("machine") / "secret.txt"
    path.write_text("TOPSECRET\n")
    return path


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EndpointProcess(tmp_path_factory.mktemp("clickhouse"), PASSWORD) as endpoint:
        url = f"http://127.0.0.1:{endpoint.port}/"
        assert write(url, "CREATE TABLE kept (a UInt64) ORDER BY a").is_success
        assert write(url, "INSERT INTO kept VALUES (1)").is_success
        yield url
        assert httpx.get(url, params={"query": "SELECT sum(a) FROM kept"}).text == "1\n"


def write(url: str, query: str) -> httpx.Response:
    return httpx.post(url, content=query, auth=("forwarder", PASSWORD))


def read(url: str, query: str, **params: str) -> httpx.Response:
    return httpx.post(url, params=params, content=query)


def code(answer: httpx.Response) -> int:
    return int(answer.headers.get("X-ClickHouse-Exception-Code", 0))


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO kept VALUES (9)",
        "InSeRt /**/ into kept SELECT 9",
        "WITH x AS (SELECT 9 AS a) INSERT INTO kept SELECT * FROM x",
        "/* SELECT */ DROP TABLE kept",
        "-- SELECT\nTRUNCATE TABLE kept",
        "# SELECT\nDETACH TABLE kept",
        "ALTER TABLE kept DELETE WHERE 1",
        "DELETE FROM kept WHERE 1",
        "UPDATE kept SET a = 2 WHERE 1",
        "CREATE TABLE x (a Int8) ORDER BY a",
        "CREATE TEMPORARY TABLE x (a Int8)",
        "CREATE VIEW v AS SELECT 1",
        "CREATE FUNCTION f AS x -> x",
        "RENAME TABLE kept TO lost",
        "OPTIMIZE TABLE kept FINAL",
        "SYSTEM STOP MERGES",
        "SET readonly = 0",
        "USE system",
        "GRANT ALL ON *.* TO default",
        "EXECUTE AS default DROP TABLE kept",
        "BACKUP TABLE kept TO File('/tmp/b')",
        "SELECT 1 INTO OUTFILE '/tmp/never'",
        "(SELECT 1) InTo/**/OutFile '/tmp/never' TRUNCATE FORMAT CSV",
        "SHOW CREATE TABLE kept INTO OUTFILE '/tmp/never'",
        "SELECT 1 SETTINGS readonly = 0",
    ],
)
def test_readers_change_nothing(url: str, query: str) -> None:
    for params in ({}, {"readonly": "0"}, {"session_id": "s"}, {"profile": "default"}):
        assert code(read(url, query, **params)) == READONLY


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1; DROP TABLE kept",
        "SELECT 1;; DROP TABLE kept",
        "SELECT 1 /* ; */ ; /* */ DROP TABLE kept",
        "SELECT 1 -- '\n; DROP TABLE kept",
        "SELECT 1 # '\n; DROP TABLE kept",
        "SELECT 1 /* ' */; DROP TABLE kept --'",
        "SELECT ';'; DROP TABLE kept",
        "SELECT 'a\\\\'; DROP TABLE kept -- '",
        "SELECT $x$ a $$; $x$; DROP TABLE kept",
        "SELECT 1 PARALLEL WITH DROP TABLE kept",
        "exit",
        "quit",
        "\\d",
        "\\i {secret}",
        ".read {secret}",
        "?? hello",
    ],
)
def test_one_statement_and_no_command_of_a_shell(url: str, secret: Path, query: str) -> None:
    answer = read(url, query.replace("{secret}", str(secret)))
    assert (answer.status_code, code(answer)) == (400, SYNTAX)
    assert "TOPSECRET" not in answer.text


def test_semicolons_in_texts_are_no_smuggling(url: str) -> None:
    for text in (
        "'a; DROP TABLE kept'",
        "'a\\'; DROP TABLE kept; --'",
        "'a''; DROP TABLE kept'",
        "$$; DROP TABLE kept$$",
    ):
        assert read(url, f"SELECT {text} /* ; */ ; -- ;").status_code == 200


READS_OF_THE_SECRET = [
    "SELECT * FROM file('{}', LineAsString)",
    "SELECT * FROM (SELECT * FROM (SELECT * FROM file('{}', LineAsString)))",
    "SELECT file('{}')",
    "SELECT `file`('{}')",
    "SELECT `fi\\x6ce`('{}')",
    "SELECT \"file\" -- x\n('{}')",
    "SELECT length(file('{}')) UNION ALL SELECT 1",
    "SELECT 1 ORDER BY throwIf(1, file('{}'))",
    "SELECT arrayMap(file, ['{}'])",
    "SELECT * APPLY(file) FROM (SELECT '{}' AS p)",
    "SELECT COLUMNS('p') APPLY(x -> file(x)) FROM (SELECT '{}' AS p)",
    "WITH (x -> file(x)) AS f SELECT f('{}')",
    "SELECT * FROM view(SELECT file('{}'))",
    "EXPLAIN SELECT throwIf(1, file('{}'))",
    "DESCRIBE (SELECT throwIf(1, file('{}')))",
    "/* c */ desc /* d */ table (SELECT throwIf(1, file('{}')) AS x)",
    "DESC generateRandom('a String ALIAS file(\\'{}\\')')",
    "SHOW TABLES WHERE throwIf(1, file('{}'))",
    "SHOW COLUMNS FROM kept WHERE throwIf(1, file('{}'))",
    "SELECT b FROM values('a String, b String ALIAS file(\\'{}\\')', 'x')",
    "SELECT b FROM generateRandom('b String ALIAS file(\\'{}\\')') LIMIT 1",
    "SELECT * FROM format(JSONEachRow, 'a String, b String DEFAULT file(\\'{}\\')', '{{\"a\":1}}')",
    "SELECT * FROM eval('SELECT file(\\'{}\\')') SETTINGS allow_experimental_eval_table_function = 1",
    "SELECT 1 SETTINGS additional_result_filter = 'throwIf(1, file(\\'{}\\'))'",
    "SELECT 1 FORMAT Template SETTINGS format_template_resultset = '{}'",
    "SELECT 1 AS a FORMAT Protobuf SETTINGS format_schema = '{}:X'",
    "SELECT * FROM sqlite('{}', 't')",
    "SELECT * FROM default.`{}`",
    "SELECT * FROM executable('{}', 'TSV', 'a String')",
]


@pytest.mark.parametrize("query", READS_OF_THE_SECRET)
def test_no_file_of_the_machine(url: str, secret: Path, query: str) -> None:
    for params in ({}, {"database": "default"}):
        answer = read(url, query.format(secret), **params)
        assert code(answer) in (DENIED, CONSTANT)
        assert "TOPSECRET" not in answer.text


FILTERS = "additional_table_filters"


@pytest.mark.parametrize(
    "expression",
    [
        "throwIf(1, file('{}'))",
        "1) OR (file('{}') != ''",
        "1 /* ) */ OR file('{}') != ''",
        "1 -- )\nOR file('{}') != ''",
        "a IN (SELECT 1 FROM file('{}', LineAsString))",
        "1 SETTINGS additional_result_filter = 'file(\\'{}\\')'",
        "a IN (SELECT 1 FROM kept SETTINGS additional_table_filters = {{'kept': 'file(\\'{}\\')'}})",
    ],
)
@pytest.mark.parametrize("query", ["SELECT * FROM kept", "SELECT a FROM (SELECT * FROM kept", "DESCRIBE kept"])
def test_no_file_through_a_filter(url: str, secret: Path, expression: str, query: str) -> None:
    text = expression.format(secret).replace("\\", "\\\\").replace("'", "\\'")
    end = ")" if query.count("(") > query.count(")") else ""
    answer = read(url, f"{query} SETTINGS {FILTERS} = {{'kept': '{text}'}}{end}")
    assert code(answer) in (DENIED, CONSTANT, SYNTAX), answer.text
    assert "TOPSECRET" not in answer.text


def test_filters_only_where_they_are_looked_at(url: str) -> None:
    filters = "{'kept': 'a = 1'}"
    assert read(url, f"SELECT count() FROM kept SETTINGS {FILTERS} = {filters}").text == "1\n"
    assert code(read(url, "SELECT 1", **{FILTERS: filters})) == CONSTANT
    quoted = filters.replace("'", "\\'")
    assert code(read(url, f"SELECT 1 SETTINGS {FILTERS} = '{quoted}'")) == DENIED
    assert code(read(url, f"SHOW CREATE TABLE kept SETTINGS {FILTERS} = {filters}")) in (DENIED, SYNTAX)


@pytest.mark.parametrize("name", ["file", "`file`", '"file"'])
def test_no_file_through_a_parameter(url: str, secret: Path, name: str) -> None:
    answer = read(url, f"SELECT arrayMap({{f:Identifier}}, ['{secret}'])", param_f=name)
    assert code(answer) == DENIED


@pytest.mark.parametrize(
    "source",
    [
        "url('http://127.0.0.1:1/', 'LineAsString')",
        "s3('http://127.0.0.1:1/b/k')",
        "remote('127.0.0.1', system.one)",
        "cluster('default', system.one)",
        "mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
        "postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
        "python(os)",
        "Python('password')",
        "merge('system', '^proc')",
        "input('a String')",
        "dictionary('x')",
    ],
)
def test_no_other_source(url: str, source: str) -> None:
    for query in (f"SELECT * FROM {source}", f"DESCRIBE {source}", f"SELECT 1 WHERE 1 IN (SELECT 1 FROM {source})"):
        assert code(read(url, query)) == DENIED


@pytest.mark.parametrize(
    ("query", "params"),
    [
        ("SELECT query FROM system.processes", {}),
        ('SELECT query FROM "system".`processes`', {}),
        ("SELECT 1 IN system.processes", {}),
        ("SELECT * FROM {d:Identifier}.{t:Identifier}", {"param_d": "system", "param_t": "processes"}),
        ("SELECT * FROM {t:Identifier}", {"param_t": "system.processes"}),
        ("SELECT * FROM system.{t:Identifier}", {"param_t": "processes"}),
        ("SELECT * FROM processes", {"database": "system"}),
        ("SELECT * FROM processes SETTINGS database = 'system'", {}),
        ("SHOW PROCESSLIST", {}),
        ("SELECT * FROM system.query_log", {}),
        ("SELECT * FROM system.users", {}),
        ("SELECT * FROM system.stack_trace", {}),
    ],
)
def test_no_look_at_others(url: str, query: str, params: dict[str, str]) -> None:
    assert code(read(url, query, **params)) == DENIED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_memory_usage", "0"),
        ("max_execution_time", "0"),
        ("max_execution_time", "100000"),
        ("max_threads", "1000"),
        ("dialect", "kusto"),
        ("implicit_select", "1"),
        ("allow_introspection_functions", "1"),
        ("additional_result_filter", "1"),
        ("format_template_row", "/etc/passwd"),
        ("output_format_schema", "/tmp/never"),
        ("input_format_record_errors_file_path", "/tmp/never"),
        ("max_query_size", "1000000000"),
        ("async_insert", "1"),
        ("log_queries", "1"),
    ],
)
def test_settings_stay_within_bounds(url: str, name: str, value: str) -> None:
    quoted = value.replace("'", "\\'")
    assert code(read(url, "SELECT 1", **{name: value})) == CONSTANT
    assert code(read(url, f"SELECT 1 SETTINGS {name} = '{quoted}'")) in (CONSTANT, READONLY)


def test_what_readers_may_still_do(url: str) -> None:
    for query in (
        "FROM kept SELECT a",
        "WITH 1 AS x SELECT x",
        "(SELECT 1) UNION ALL (SELECT 2)",
        "SELECT name FROM system.tables WHERE database = currentDatabase()",
        "SELECT * FROM information_schema.tables LIMIT 1",
        "SELECT 'file' AS file_name, 'system.processes', 'INTO OUTFILE'",
        "SELECT number FROM numbers(3) SETTINGS max_threads = 1, max_execution_time = 600",
        "SHOW DATABASES",
        "SHOW CREATE TABLE kept",
        "SHOW FUNCTIONS LIKE 'abs%'",
        "DESCRIBE kept",
        "DESC TABLE numbers(1)",
        "EXISTS TABLE kept",
        "EXPLAIN PLAN SELECT count() FROM kept",
    ):
        assert read(url, query).status_code == 200, query
    assert read(url, "SELECT * FROM {d:Identifier}.{t:Identifier}", param_d="cvat", param_t="kept").text == "1\n"


ENGINE_ALONE = """
import sys
from pathlib import Path
from infra.clickhouse.engine import Engine
from infra.clickhouse.errors import QueryFailed
engine = Engine(Path(sys.argv[1]))
engine.connect().run("CREATE TABLE kept (a UInt64) ORDER BY a")
with engine.connect() as connection:
    connection.make_read_only()
    for statement in sys.argv[2:]:
        try:
            connection.run(statement)
            print("done", statement)
        except QueryFailed as refused:
            print(refused.code)
engine.close()
"""


def test_the_engine_refuses_on_its_own(tmp_path: Path, secret: Path) -> None:
    statements = [
        "INSERT INTO kept SELECT 1",
        "DROP TABLE kept",
        "ALTER TABLE kept DELETE WHERE 1",
        "CREATE TABLE x (a Int8) ORDER BY a",
        "SET readonly = 0",
        "SELECT 1 SETTINGS readonly = 0",
        f"SELECT * FROM file('{secret}', LineAsString)",
        f"SELECT * FROM view(SELECT * FROM file('{secret}', LineAsString))",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "SELECT * FROM remote('127.0.0.1', system.one)",
        "SELECT * FROM python(sys)",
        f"SELECT 1 SETTINGS additional_result_filter = 'throwIf(1, file(\\'{secret}\\'))'",
        "CREATE USER u",
        "SYSTEM FLUSH LOGS",
    ]
    command = [sys.executable, "-c", ENGINE_ALONE, str(tmp_path / "data"), *statements]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=True)
    assert [int(line) for line in done.stdout.splitlines()] == [
        *[READONLY] * 6,
        *[DENIED] * 4,
        446,
        CONSTANT,
        *[DENIED] * 2,
    ]


ENGINE_OF_ONE_THREAD = """
import sys
from pathlib import Path
from infra.clickhouse.engine import Engine
from infra.clickhouse.errors import QueryFailed
from infra.clickhouse.limits import Limits
engine = Engine(Path(sys.argv[1]), Limits(query_threads=1, query_threads_max=1))
with engine.connect() as connection:
    for threads in ("0", "auto", "2", "1"):
        try:
            connection.set({"max_threads": threads})
            print(connection.value("SELECT getSetting('max_threads')"))
        except QueryFailed as refused:
            print(refused.code)
engine.close()
"""


@pytest.mark.skipif(os.cpu_count() == 1, reason="all processors are one")
def test_no_number_of_threads_is_all_processors_and_bounded(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ENGINE_OF_ONE_THREAD, str(tmp_path / "data")]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=True)
    assert [int(line) for line in done.stdout.splitlines()] == [CONSTANT, CONSTANT, CONSTANT, 1]
