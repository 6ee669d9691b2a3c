"""The files in deploy/ and the hooks, held against the programs that read them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from assistant.triage.gather import CLUSTER_WIDE, NAMESPACED, ON_DEMAND

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
DEPLOY = ROOT / "deploy"


def accepted(*command: str | Path) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rules(name: str) -> list[dict[str, Any]]:
    documents = yaml.safe_load_all((DEPLOY / name).read_text("utf-8"))
    return [rule for one in documents if one["kind"] == "ClusterRole" for rule in one["rules"]]


@pytest.mark.parametrize("name", ["rbac.yaml", "rbac-secret-keys.yaml"])
def test_kubernetes_knows_every_field_of_a_manifest(name: str) -> None:
    accepted(PROGRAMS / "kubernetes-validate", "--strict", DEPLOY / name)


@pytest.mark.parametrize("name", ["rbac.yaml", "rbac-secret-keys.yaml"])
def test_a_role_reads_and_names_what_it_reads(name: str) -> None:
    for rule in rules(name):
        assert set(rule["verbs"]) <= {"get", "list"}
        assert "*" not in [*rule["apiGroups"], *rule["resources"]]


def test_only_the_second_role_reads_secrets() -> None:
    read = {one for rule in rules("rbac.yaml") for one in rule["resources"]}
    assert "secrets" not in read
    assert [rule["resources"] for rule in rules("rbac-secret-keys.yaml")] == [["secrets"]]


def test_the_roles_together_cover_what_a_triage_asks_for() -> None:
    read = {
        one
        for name in ("rbac.yaml", "rbac-secret-keys.yaml")
        for rule in rules(name)
        for one in rule["resources"]
    }
    plural = {
        kind: f"{kind.lower()}s"
        for kind in (*CLUSTER_WIDE, *NAMESPACED, *ON_DEMAND, "Namespace", "Event")
    }
    plural |= {
        "StorageClass": "storageclasses",
        "Ingress": "ingresses",
        "IngressClass": "ingressclasses",
        "NetworkPolicy": "networkpolicies",
    }
    assert set(plural.values()) | {"pods/log"} <= read


def test_prometheus_accepts_its_configuration() -> None:
    if not shutil.which("promtool"):
        pytest.skip("needs the program promtool on PATH")
    accepted("promtool", "check", "config", DEPLOY / "prometheus.yml")


def test_the_policy_is_the_servers_own() -> None:
    own = ROOT / "mcp_servers/guard/default_policy.yaml"
    assert (DEPLOY / "policy.yaml").read_text("utf-8") == own.read_text("utf-8")


def test_git_never_sees_a_secret_file() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone")
    names = ["mcp_token", "kubeconfig", "pagerduty_token", "prometheus_token"]
    paths = [str(DEPLOY / "secrets" / name) for name in names]
    ignored = accepted("git", "-C", ROOT, "check-ignore", *paths)
    assert ignored.split() == paths


def test_the_hooks_are_well_formed() -> None:
    accepted(PROGRAMS / "pre-commit", "validate-config", ROOT / ".pre-commit-config.yaml")


@pytest.mark.parametrize("script", [*(ROOT / "scripts").glob("*.sh"), ROOT / ".ci/run"])
def test_a_shell_script_parses(script: Path) -> None:
    accepted("bash", "-n", script)
    assert script.stat().st_mode & 0o111
