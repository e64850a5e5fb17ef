"""Alert rules: each of them fires when it should, and none when all is well; as Prometheus' own test tool says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from typer.main import get_command

from cli.main import app
from observability.alerts import ALERTS, GIB
from observability.output import DASHBOARDS, DOCKER, RULES

REPOSITORY = Path(__file__).parents[2]
METRIC = re.compile(r"annals_[a-z_]+[a-z]")
PROMTOOL = os.getenv("ANNALS_TEST_PROMTOOL") or shutil.which("promtool")
BY_NAME = {alert.name: alert for alert in ALERTS}


class Case(NamedTuple):
    """`series`: what is scraped every minute; `minute`: when it is looked at; `summary`: what is then said."""

    alert: str
    series: dict[str, str]
    minute: int
    labels: dict[str, str]
    summary: str


CASES = [
    Case(
        "QueueWithoutAgents",
        {'annals_queue_waiting{queue="export"}': "3x10", 'annals_queue_agents{queue="export"}': "0x10",
         'annals_queue_waiting{queue="import"}': "3x10", 'annals_queue_agents{queue="import"}': "1x10"},
        2, {"queue": "export"}, "3 requests wait in the queue export, and no agent listens",
    ),
    Case(
        "RequestWaitsTooLong", {'annals_queue_oldest_seconds{queue="import"}': "0+120x20"}, 9, {"queue": "import"},
        "A request in the queue import has waited for 18m 0s",
    ),
    Case(
        "FollowerLagsInSeconds", {'annals_follower_lag_seconds{follower="forwarder"}': "0+60x20"}, 5,
        {"follower": "forwarder"}, "forwarder is 5m 0s behind the log",
    ),
    Case(
        "FollowerLagsInEvents", {'annals_follower_lag_events{follower="relay"}': "250000x20"}, 11,
        {"follower": "relay"}, "relay is 250k events behind the log",
    ),
    Case(
        "SinkLags", {'annals_forwarder_lag_seconds{sink="clickhouse"}': "90x20"}, 3, {"sink": "clickhouse"},
        "The sink clickhouse is 1m 30s behind its source",
    ),
    Case(
        "DeadLetters", {'annals_dead_letters{follower="forwarder"}': "0 2x20"}, 1, {"follower": "forwarder"},
        "forwarder has set aside 2 events that it could not pass on",
    ),
    Case(
        "VerificationFailed", {'annals_verification_differences{kind="whole"}': "1x20"}, 1, {"kind": "whole"},
        "The whole verification found 1 differences from the log",
    ),
    Case(
        "VerificationUnknown", {'annals_verification_unknown{kind="clickhouse"}': "1x20"}, 1, {"kind": "clickhouse"},
        "The clickhouse verification could not compare everything",
    ),
    Case(
        "ReconciliationWrong", {'annals_reconciliation_wrong_positions{sink="clickhouse"}': "7x20"}, 6,
        {"sink": "clickhouse"}, "clickhouse holds 7 events otherwise than the log has them",
    ),
    Case(
        "ServerErrors",
        {'annals_http_requests_total{status="200"}': "0+90x20", 'annals_http_requests_total{status="503"}': "0+10x20"},
        15, {}, "10% of the requests end with an error of the server",
    ),
    Case(
        "TooManyRequests",
        {'annals_http_requests_total{status="200"}': "0+75x20", 'annals_http_requests_total{status="429"}': "0+25x20"},
        15, {}, "25% of the requests are answered with 429",
    ),
    Case(
        "DiskAlmostFull", {'annals_disk_free_bytes{instance="a:8080",place="blobs"}': f"{2 * GIB}x20"}, 6,
        {"instance": "a:8080", "place": "blobs"}, "2GiB are free where blobs lies, on a:8080",
    ),
    Case(
        "DiskFullTomorrow",
        {'annals_disk_free_bytes{instance="a:8080",place="blobs"}': f"{64 * GIB}-{GIB // 16}x420"}, 400,
        {"instance": "a:8080", "place": "blobs"}, "The disk of blobs on a:8080 will be full within a day",
    ),
    Case(
        "LeasesExpire", {'annals_lease_expiries_total{queue="chunks"}': "0+1x30"}, 20, {"queue": "chunks"},
        "15 agents of the queue chunks stopped while at work, in 15 minutes",
    ),
    Case(
        "SinkRefuses",
        {'annals_forwarder_errors_total{sink="clickhouse",kind="refused"}': "0+1x30",
         'annals_forwarder_errors_total{sink="clickhouse",kind="passing"}': "0+9x30"},
        20, {"sink": "clickhouse"}, "The sink clickhouse refused 15 batches",
    ),
    Case(
        "RelayFails", {"annals_relay_errors_total": "0+2x30"}, 20, {},
        "The relay to Kafka failed 30 times in 15 minutes",
    ),
    Case(
        "TargetDown", {'up{job="annals-relay",instance="10.0.0.7:9464"}': "1 0x20"}, 4,
        {"job": "annals-relay", "instance": "10.0.0.7:9464"}, "10.0.0.7:9464 (annals-relay) does not answer",
    ),
    Case(
        "TargetGone",
        {'up{job="annals-api",instance="10.0.0.2:8080"}': "1x20",
         'up{job="annals-relay",instance="10.0.0.7:9464"}': "1x3 stale"},
        9, {"job": "annals-relay"}, "There is no process of annals-relay any more",
    ),
]  # fmt: skip

WELL = {
    'annals_queue_waiting{queue="import"}': "4x420",
    'annals_queue_agents{queue="import"}': "1x420",
    'annals_queue_oldest_seconds{queue="import"}': "20x420",
    'annals_follower_lag_seconds{follower="forwarder"}': "0.2x420",
    'annals_follower_lag_events{follower="forwarder"}': "90x420",
    'annals_forwarder_lag_seconds{sink="clickhouse"}': "0.2x420",
    'annals_dead_letters{follower="forwarder"}': "0x420",
    'annals_verification_differences{kind="quick"}': "0x420",
    'annals_reconciliation_wrong_positions{sink="clickhouse"}': "0x420",
    'annals_http_requests_total{status="200"}': "0+6000x420",
    'annals_http_requests_total{status="500"}': "0+1x420",
    'annals_disk_free_bytes{instance="a:8080",place="blobs"}': f"{200 * GIB}-1000000x420",
    'annals_lease_expiries_total{queue="import"}': "1x420",
    'annals_forwarder_errors_total{sink="clickhouse",kind="passing"}': "0+1x420",
    "annals_relay_errors_total": "3x420",
    'up{job="annals-api",instance="a:8080"}': "1x420",
    'up{job="annals-forwarder",instance="b:9464"}': "1x100 stale",
    'up{job="annals-forwarder",instance="c:9464"}': "1x420",
}
"""Some trouble there always is."""


def test_every_alert_has_a_case() -> None:
    assert [case.alert for case in CASES] == list(BY_NAME)


def test_every_metric_is_one_of_the_product() -> None:
    sources = [path for layer in ("infra", "consumers", "api", "cli") for path in (REPOSITORY / layer).rglob("*.py")]
    known = {name for path in sources for name in METRIC.findall(path.read_text())}
    histograms = {name + suffix for name in known for suffix in ("_bucket", "_sum", "_count")}
    written = RULES.read_text() + (DASHBOARDS / "operations.json").read_text()
    named = {name for name in METRIC.findall(written) if not name.endswith("_rules")}
    assert len(named) >= 20
    assert sorted(named - known - histograms) == []


def test_the_guide_lists_them() -> None:
    guide = (REPOSITORY / "docs" / "how-to" / "watch-with-grafana.md").read_text()
    assert re.findall(r"^\| (\w+) \|", guide, re.MULTILINE) == ["alert", *BY_NAME]


def test_grafana_has_the_same_alerts() -> None:
    text = (DOCKER / "grafana" / "provisioning" / "alerting" / "annals.yaml").read_text()
    (group,) = yaml.safe_load(text)["groups"]
    assert [rule["title"] for rule in group["rules"]] == list(BY_NAME)
    for rule in group["rules"]:
        asked, compared = (step["model"] for step in rule["data"])
        alert = BY_NAME[rule["title"]]
        assert asked["expr"] == alert.expression
        assert compared["conditions"] == [{"evaluator": {"type": alert.comparison, "params": [alert.threshold]}}]
        assert "$value |" not in str(rule["annotations"])


def test_the_advice_names_commands_that_there_are() -> None:
    named = [command.split()[1:] for alert in ALERTS for command in re.findall("`(annals [^`{]*)", alert.advice)]
    assert len(named) >= 6
    for words in named:
        command: Any = get_command(app)
        for word in words:
            if word.startswith("-"):
                assert word in [option for parameter in command.params for option in parameter.opts], words
            else:
                command = command.commands[word]


@pytest.fixture
def promtool() -> str:
    if PROMTOOL is None:
        pytest.skip("promtool (of Prometheus) is not installed; ANNALS_TEST_PROMTOOL can say where it is")
    return PROMTOOL


def test_prometheus_accepts_them(promtool: str) -> None:
    subprocess.run([promtool, "check", "rules", str(RULES)], check=True, capture_output=True)


def test_prometheus_accepts_what_the_dashboard_asks(promtool: str, tmp_path: Path) -> None:
    panels = json.loads((DASHBOARDS / "operations.json").read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel.get("targets", ()) if "expr" in target]
    assert len(asked) >= 20
    rules = [{"record": "asked", "expr": each.replace("$__rate_interval", "1m")} for each in asked]
    file = tmp_path / "asked.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    subprocess.run([promtool, "check", "rules", "--lint=none", str(file)], check=True, capture_output=True)


def test_each_fires(promtool: str, tmp_path: Path) -> None:
    judge(promtool, tmp_path, [_fires(case) for case in CASES])


def test_an_api_that_never_was_is_missed(promtool: str, tmp_path: Path) -> None:
    api = Case("TargetGone", {}, 5, {"job": "annals-api"}, "There is no process of annals-api any more")
    judge(promtool, tmp_path, [_fires(api)])


def test_none_fires_when_all_is_well(promtool: str, tmp_path: Path) -> None:
    quiet = [{"eval_time": "400m", "alertname": name, "exp_alerts": []} for name in BY_NAME]
    judge(promtool, tmp_path, [{"interval": "1m", "input_series": _series(WELL), "alert_rule_test": quiet}])


def judge(promtool: str, folder: Path, tests: list[dict[str, Any]]) -> None:
    file = folder / "tests.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}))
    result = subprocess.run([promtool, "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def _fires(case: Case) -> dict[str, Any]:
    alert = BY_NAME[case.alert]
    annotations = {"summary": case.summary, "description": _filled(alert.advice, case.labels)}
    expected = {"exp_labels": {**case.labels, "severity": alert.severity}, "exp_annotations": annotations}
    test = {"eval_time": f"{case.minute}m", "alertname": case.alert, "exp_alerts": [expected]}
    return {"interval": "1m", "input_series": _series(case.series), "alert_rule_test": [test]}


def _filled(template: str, labels: dict[str, str]) -> str:
    for name, value in labels.items():
        template = template.replace(f"{{{{ $labels.{name} }}}}", value)
    return template


def _series(series: dict[str, str]) -> list[dict[str, str]]:
    return [{"series": name, "values": values} for name, values in series.items()]
