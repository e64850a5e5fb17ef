"""`annals verify`: proof that everything follows from the log, and nothing has drifted."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.database import open_database
from cli.options import DataOption, JsonOption, TopologyOption, read_settings
from domain.errors import Unavailable

if TYPE_CHECKING:
    from infra.postgres.database import Database
    from infra.settings import Settings
    from projections.finding import Finding
    from projections.verify import Report

Scope = Literal["everything", "sample", "clickhouse"]
Outcome = Literal["equal", "different", "unknown"]
EXITS: dict[Outcome, int] = {"equal": 0, "different": 1, "unknown": 3}
KEPT_AS: dict[Scope, str] = {"everything": "whole", "sample": "quick", "clickhouse": "clickhouse"}
WAIT_SECONDS = 30.0


def verify(
    data: DataOption = None,
    blobs: Annotated[bool, typer.Option("--blobs", help="Read every blob and check its hash, too.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait for ClickHouse to catch up.")] = WAIT_SECONDS,
    quick: Annotated[bool, typer.Option("--quick", help="Only a sample, in seconds.")] = False,
    clickhouse: Annotated[bool, typer.Option("--clickhouse", help="Only ClickHouse.")] = False,
    rows: Annotated[bool, typer.Option("--rows", help="Every column of every row in ClickHouse, too.")] = False,
    topology: TopologyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fold the log anew and compare: tables, streams, blobs, ClickHouse. Exits with 1 and the first difference; with 3
    when there is none, but not everything could be compared: a server does not answer, or all rows have expired.
    """
    scope: Scope = "clickhouse" if clickhouse else "sample" if quick else "everything"
    settings = read_settings(data, topology=topology)
    try:
        outcome = check(settings, scope, hash_blobs=blobs, rows=rows, wait=wait, as_json=as_json)
    except Unavailable as error:
        typer.echo(f"annals: {error.message}", err=True)
        outcome = "unknown"
    raise typer.Exit(EXITS[outcome])


def check(
    settings: Settings,
    scope: Scope = "everything",
    *,
    hash_blobs: bool = False,
    rows: bool = False,
    wait: float = WAIT_SECONDS,
    as_json: bool = False,
) -> Outcome:
    """Prints what was found, and keeps it for those who watch."""
    started = datetime.now(UTC)
    with open_database(settings) as database:
        from cli.forward.proof import Question, clickhouse_findings
        from infra.postgres.verifications import remember

        report = _verify(settings, database, scope, hash_blobs=hash_blobs)
        asked = Question(report.head, wait, rows=rows, alone=scope == "clickhouse")
        findings = [*report.findings, *clickhouse_findings(settings, database, asked)]
        remember(database, started, report.head, list(map(asdict, findings)), scope=KEPT_AS[scope])
    (_print_json if as_json else _print)(report.head, findings)
    return _outcome(findings)


def _outcome(findings: list[Finding]) -> Outcome:
    if any(finding.difference for finding in findings):
        return "different"
    return "equal" if all(finding.equal for finding in findings) else "unknown"


def _verify(settings: Settings, database: Database, scope: Scope, *, hash_blobs: bool) -> Report:
    from cli.progress import fold_progress
    from cli.rebuilding import projections_held
    from infra.blobs import open_blobs
    from infra.eventlog.reader import LogReader
    from projections.registry import REGISTRY
    from projections.sample import verify_sample
    from projections.verify import Report, verify

    blobs, log, mine = open_blobs(settings), LogReader(), list(REGISTRY.values())
    if scope == "clickhouse":
        with database.connect() as connection:
            return Report(log.head(connection), [])
    if scope == "sample":
        with database.connect() as connection, projections_held(connection, shared=True):
            return verify_sample(connection, log, mine, blobs)
    with (
        database.connect() as connection,
        projections_held(connection, shared=True),
        fold_progress("Folding the log") as progress,
    ):
        return verify(
            connection,
            log,
            mine,
            blobs,
            hash_blobs=hash_blobs,
            progress=progress,
        )


def _print(head: int, findings: list[Finding]) -> None:
    from cli.output import print_table

    words: dict[Outcome, str] = {"equal": "equal", "different": "DIFFERENT", "unknown": "NOT COMPARED"}
    rows = [(finding.subject, finding.measure, words[_outcome([finding])]) for finding in findings]
    print_table(("what", "how much", ""), rows)
    different = next((finding for finding in findings if finding.difference), None)
    unknown = next((finding for finding in findings if finding.unknown), None)
    if different:
        typer.echo(f"First difference: {different.subject}: {different.difference}")
    elif unknown:
        typer.echo(f"Not compared: {unknown.subject}: {unknown.unknown}")
    else:
        typer.echo(f"Everything is equal, up to position {head:,}.")


def _print_json(head: int, findings: list[Finding]) -> None:
    from cli.output import print_json

    equal = _outcome(findings) == "equal"
    print_json([{"equal": equal, "head": head, "findings": [asdict(finding) for finding in findings]}])
