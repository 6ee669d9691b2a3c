"""The three ways to run the nightly job, held against the programs that read them and the job itself."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingest.options import options
from ingest.report import ExitCode

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
CRONJOB = ROOT / "deploy/ingest-cronjob.yaml"
SYSTEMD = ROOT / "deploy/systemd"
UNITS = ("incident-assistant-ingest.service", "incident-assistant-ingest.timer")
MOST_EXPOSED = 20
"""Tenths on the scale of `systemd-analyze security`, where 100 is a service without any protection."""


def accepted(*command: str | Path) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr or "passed" in done.stderr, done.stderr
    return done.stdout


def cronjob() -> dict[str, Any]:
    kinds = {one["kind"]: one for one in yaml.safe_load_all(CRONJOB.read_text("utf-8"))}
    return kinds["CronJob"]["spec"]


def pod() -> dict[str, Any]:
    return cronjob()["jobTemplate"]["spec"]["template"]["spec"]


def settings_of(name: str) -> dict[str, str]:
    """Every setting of a unit, by its name; of repeated ones the last."""
    parser = ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str
    parser.read_string((SYSTEMD / name).read_text("utf-8").replace("\\\n", " "))
    return {key: value for section in parser.sections() for key, value in parser.items(section)}


def test_kubernetes_knows_every_field_of_the_cronjob() -> None:
    accepted(PROGRAMS / "kubernetes-validate", "--strict", CRONJOB)


def test_the_cronjob_never_runs_twice_at_once() -> None:
    assert cronjob()["concurrencyPolicy"] == "Forbid"


def test_the_cronjob_can_do_no_more_than_it_must() -> None:
    (container,) = pod()["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod()["securityContext"]["runAsNonRoot"]
    assert pod()["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not pod()["automountServiceAccountToken"]
    assert {"requests", "limits"} == set(container["resources"])
    assert not container["image"].endswith(":latest")


def test_the_cronjob_keeps_its_index_and_mounts_what_it_names() -> None:
    (container,) = pod()["containers"]
    volumes = {volume["name"]: volume for volume in pod()["volumes"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert volumes.keys() == mounts.keys()
    assert "persistentVolumeClaim" in volumes["index"]
    chosen = options(container["args"], "")
    assert str(chosen.settings.index) == mounts["index"]
    assert str(chosen.sources.parent) == mounts["sources"]
    assert str(chosen.report).startswith(mounts["index"])


def test_a_code_that_a_retry_cannot_change_is_not_retried() -> None:
    rules = cronjob()["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    (codes,) = [rule["onExitCodes"]["values"] for rule in rules if "onExitCodes" in rule]
    ends = {ExitCode.WRONG_USAGE, ExitCode.REMOVALS_WITHHELD, ExitCode.SOURCE_FAILED}
    assert set(codes) == ends


@pytest.mark.parametrize(("code", "seen"), [(0, 0), (3, 0), (1, 1), (4, 4), (5, 5), (75, 75)])
def test_the_shell_of_the_cronjob_passes_each_code_but_skipped_documents(
    tmp_path: Path, code: int, seen: int
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n[ \"$*\" = '-m ingest --index=/a b' ] || exit 99\nexit {code}\n")
    python.chmod(0o755)
    (container,) = pod()["containers"]
    done = subprocess.run(
        [*container["command"], "--index=/a b"], check=False, env={"PATH": f"{tmp_path}:/bin"}
    )
    assert done.returncode == seen


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs the program systemd-analyze on PATH")
    for name in UNITS:
        text = (SYSTEMD / name).read_text("utf-8")
        installed = re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={sys.executable}", text)
        (tmp_path / name).write_text(installed, "utf-8")
    accepted("systemd-analyze", "verify", "--man=no", *(tmp_path / name for name in UNITS))


def test_the_service_is_hardened() -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs the program systemd-analyze on PATH")
    threshold = f"--threshold={MOST_EXPOSED}"
    accepted("systemd-analyze", "security", "--offline=true", threshold, SYSTEMD / UNITS[0])


def test_the_service_runs_a_command_line_that_the_job_takes() -> None:
    found = settings_of(UNITS[0])
    program, module, *arguments = shlex.split(found["ExecStart"].replace("-m ingest", "-mingest"))
    assert (Path(program).name, module) == ("python", "-mingest")
    chosen = options(arguments, "")
    state = Path("/var/lib") / found["StateDirectory"]
    assert all(
        one.is_relative_to(state)
        for one in (chosen.settings.index, chosen.report, chosen.metrics_file)
    )
    assert int(found["SuccessExitStatus"]) == ExitCode.SOME_SKIPPED


def test_the_timer_makes_up_for_a_night_that_the_machine_slept_through() -> None:
    assert settings_of(UNITS[1])["Persistent"] == "true"


def test_the_nightly_service_of_compose_runs_once_and_waits_for_half_past_two(
    tmp_path: Path,
) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    shell, option, script, *arguments = compose["ingest-nightly"]["command"]
    script = script.replace("$$", "$")
    for name, body in (
        ("python", 'echo "$*"'),
        ("date", "echo 1795231800"),  # 02:30 UTC and 3,600 s
        ("sleep", 'echo "sleep $1"; kill $PPID'),
    ):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
    done = subprocess.run(
        [shell, option, script, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": f"{tmp_path}:/bin:/usr/bin"},
    )
    ran, slept = done.stdout.splitlines()
    assert ran == " ".join(["-m ingest", *arguments[1:]])
    assert slept == "sleep 82800"
    assert options(arguments[1:], "").report == Path("/index/report.json")


@pytest.mark.parametrize(("code", "healthy"), [(0, True), (3, True), (1, False), (5, False)])
def test_the_nightly_service_is_healthy_while_its_last_run_left_nothing_to_do(
    tmp_path: Path, code: int, *, healthy: bool
) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    *_, program = compose["ingest-nightly"]["healthcheck"]["test"]
    (tmp_path / "report.json").write_text(json.dumps({"exit_code": code}))
    here = program.replace("/index", str(tmp_path))
    done = subprocess.run([sys.executable, "-c", here], check=False, capture_output=True)
    assert (done.returncode == 0) == healthy
