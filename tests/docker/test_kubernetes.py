"""The Helm chart, by its rendered example; and that the example is today's, where there is Helm."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.settings import Settings

from .commands import DOCKER, SECRET_SETTINGS, check_command, check_settings, load

CHARTS = DOCKER / "kubernetes"
EXAMPLE: list[dict[str, Any]] = [one for one in yaml.safe_load_all((CHARTS / "example.yaml").read_text()) if one]
VALUES = load("kubernetes/annals/values.yaml")
MAKERS = [one for one in EXAMPLE if "template" in one.get("spec", {})]
PODS = {one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in MAKERS}
RENDER = ["template", "annals", "annals", "--namespace", "annals", "--kube-version", "1.31"]
LASTING = [name for name in PODS if name != "annals-migrate"]


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in EXAMPLE if one["kind"] == kind}


def container(name: str) -> dict[str, Any]:
    [only] = PODS[name]["containers"]
    return only


def test_every_kind_of_process_is_there() -> None:
    kinds = {"api", "agent-import", "agent-export", "relay", "forwarder", "migrate"}
    assert {name.removeprefix("annals-") for name in PODS} == kinds


@pytest.mark.skipif(shutil.which("helm") is None, reason="helm is not installed")
def test_the_example_is_what_the_chart_renders_today() -> None:
    command = ["helm", *RENDER, "--values", "example-values.yaml"]
    done = subprocess.run(command, cwd=CHARTS, capture_output=True, text=True, check=True)
    assert done.stdout == (CHARTS / "example.yaml").read_text()


@pytest.mark.parametrize("name", PODS)
def test_annals_knows_the_command_and_the_settings(name: str) -> None:
    check_command(container(name)["args"])
    check_settings(variable["name"] for variable in container(name)["env"])


@pytest.mark.parametrize("name", PODS)
def test_a_pod_can_do_little(name: str) -> None:
    spec, only = PODS[name], container(name)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["automountServiceAccountToken"] is False
    assert only["securityContext"]["readOnlyRootFilesystem"] is True
    assert only["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {"requests", "limits"} == set(only["resources"])


@pytest.mark.parametrize("name", PODS)
def test_every_mount_has_its_volume(name: str) -> None:
    volumes = {volume["name"] for volume in PODS[name]["volumes"]}
    assert {mount["name"] for mount in container(name)["volumeMounts"]} == volumes


@pytest.mark.parametrize("name", LASTING)
def test_a_process_is_asked_where_it_answers(name: str) -> None:
    only = container(name)
    [port] = only["ports"]
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(only)
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = only[probe].get("httpGet") or only[probe]["tcpSocket"]
        assert asked["port"] == port["name"]
    variables = {variable["name"]: variable["value"] for variable in only["env"]}
    answers = variables.get("ANNALS_METRICS_PORT", Settings.model_fields["port"].default)
    assert port["containerPort"] == int(answers)


def test_only_the_migration_has_the_owners_secrets() -> None:
    for name, spec in PODS.items():
        [secrets] = [volume["projected"]["sources"] for volume in spec["volumes"] if volume["name"] == "secrets"]
        owner = VALUES["secrets"]["owner"] in [source["secret"]["name"] for source in secrets]
        assert owner == (name == "annals-migrate")
    hook = named("Job")["annals-migrate"]["metadata"]["annotations"]["helm.sh/hook"]
    assert hook == "pre-install,pre-upgrade"


def test_what_may_be_cached_fits_on_the_node() -> None:
    cached = int(VALUES["settings"]["ANNALS_CHUNK_CACHE_BYTES"]) + 2 * int(
        VALUES["settings"]["ANNALS_BLOB_CACHE_BYTES"]
    )
    assert int(VALUES["cacheSize"].removesuffix("Gi")) * 2**30 > 1.1 * cached


def test_uploads_are_shared_by_who_needs_them() -> None:
    sharing = {name for name, spec in PODS.items() if any("persistentVolumeClaim" in one for one in spec["volumes"])}
    assert sharing == {"annals-api", "annals-agent-import", "annals-agent-export"}


def test_each_pod_is_found_by_who_looks_for_it() -> None:
    labels = {one["metadata"]["name"]: one["spec"]["template"]["metadata"]["labels"] for one in MAKERS}
    for one in MAKERS:
        wanted = one["spec"]["selector"]["matchLabels"] if one["kind"] == "Deployment" else {}
        assert wanted.items() <= labels[one["metadata"]["name"]].items()
    for name, budget in named("PodDisruptionBudget").items():
        assert budget["spec"]["selector"]["matchLabels"].items() <= labels[name].items()
    assert named("Service")["annals-api"]["spec"]["selector"].items() <= labels["annals-api"].items()
    for scaler in [*named("HorizontalPodAutoscaler").values(), *named("ScaledObject").values()]:
        assert scaler["spec"]["scaleTargetRef"]["name"] in labels


def test_the_secrets_that_the_values_speak_of_are_settings() -> None:
    text = (CHARTS / "annals" / "values.yaml").read_text().split("\nsettings:")[0]
    spoken = {word.strip("(),.:") for word in text.split() if word.startswith("annals_")}
    assert {"annals_database_url", "annals_database_owner_url"} <= spoken <= SECRET_SETTINGS


@pytest.mark.skipif(shutil.which("helm") is None, reason="helm is not installed")
def test_a_topology_and_its_volume_can_be_given(tmp_path: Path) -> None:
    file, text = tmp_path / "topology.toml", '[sources.log]\ntype = "log"\n'
    file.write_text(text)
    given = ["--set-file", f"topology={file}", "--set", "forwarder.archiveClaim=archive"]
    done = subprocess.run(["helm", *RENDER, *given], cwd=CHARTS, capture_output=True, text=True, check=True)
    made = {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(done.stdout) if one}
    assert made["ConfigMap", "annals-topology"]["data"] == {"topology.toml": text}
    for name in ("annals-api", "annals-forwarder"):
        pod = made["Deployment", name]["spec"]["template"]["spec"]
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        mounts = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
        variables = {variable["name"]: variable["value"] for variable in pod["containers"][0]["env"]}
        assert volumes["topology"]["configMap"] == {"name": "annals-topology"}
        assert variables["ANNALS_TOPOLOGY"] == f"{mounts['topology']}/topology.toml"
        assert ("archive" in volumes) == ("archive" in mounts) == (name == "annals-forwarder")
    assert volumes["archive"]["persistentVolumeClaim"] == {"claimName": "archive"}
