"""docker-compose.yml without an engine: Compose itself accepts it, and each service's own command
runs outside a container until its own health check is answered.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from eval.cases import CASES, write_world
from mcp_servers.guard import audit

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
COMPOSE_FILE = ROOT / "docker-compose.yml"
START_SECONDS = 60
NAMES = sorted(yaml.safe_load(COMPOSE_FILE.read_text("utf-8"))["services"])
ONE_SHOT = {"assistant", "ingest"}
"""Services that end by themselves, and so have nobody to ask about their health."""
AT_NIGHT = {"ingest-nightly"}
"""Healthy after a first whole run; `test_schedules.py` holds its shell and its health check."""
PORT = re.compile(r"(?<=[:\s])(7001|7002|7003|800[0-4]|8080|9090)\b|^(?:800[0-4]|8080)$")
HOST = re.compile(r"//(?:chroma|lab|prometheus|mcp-[a-z]+):")


def compose(*options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [PROGRAMS / "docker-compose", "-f", COMPOSE_FILE, *options]
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=60, env=kept | variables
    )


def services(*options: str) -> dict[str, dict[str, Any]]:
    said = compose(*options, "--profile", "*", "config", "--format", "json")
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout)["services"]


@pytest.mark.parametrize("options", [(), ("--env-file", "deploy/lab.env"), ("--profile", "*")])
def test_compose_accepts_its_file(options: Sequence[str]) -> None:
    said = compose(*options, "config", "-q")
    assert (said.returncode, said.stderr) == (0, "")


def test_the_dockerfile_is_clean() -> None:
    said = subprocess.run(
        [PROGRAMS / "hadolint", ROOT / "Dockerfile"], check=False, capture_output=True, text=True
    )
    assert (said.returncode, said.stdout) == (0, "")


@pytest.mark.parametrize("name", NAMES)
def test_a_container_can_do_no_more_than_it_must(name: str) -> None:
    service = services()[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service["user"].startswith(("0", "root"))
    assert not re.search(r":latest$|^[^:]+$", service["image"])
    assert all(port["host_ip"] == "127.0.0.1" for port in service.get("ports", ()))


def test_a_secret_is_mounted_where_it_is_needed_alone() -> None:
    seen = {
        name: {secret["source"] for secret in service.get("secrets", ())}
        for name, service in services().items()
    }
    assert {name for name, secrets in seen.items() if "pagerduty_token" in secrets} == {
        "mcp-pagerduty"
    }
    assert {name for name, secrets in seen.items() if "kubeconfig" in secrets} == {"mcp-kubernetes"}
    assert not any("token" in str(service.get("environment", {}).get(name, "")).lower()
                   for service in services().values() for name in ("MCP_HTTP_TOKEN", "PAGERDUTY_TOKEN"))  # fmt: skip


def test_every_long_running_service_tells_its_health() -> None:
    silent = {name for name, service in services().items() if "healthcheck" not in service}
    assert silent == ONE_SHOT


def test_the_demo_has_the_time_of_its_world(tmp_path: Path) -> None:
    lines = (ROOT / "deploy/lab.env").read_text("utf-8").splitlines()
    settings = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    world = write_world(CASES[settings["LAB_WORLD"]], tmp_path)
    described = json.loads((world / "world.json").read_text("utf-8"))
    assert settings["ASSISTANT_AS_OF"] == described["as_of"]


class Machine:
    """The services as processes: container paths, ports and names become those of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.services = services("--env-file", str(ROOT / "deploy/lab.env"))
        self.ports = _free_ports(("7001", "7002", "7003", "8000", "8001", "8002", "8003", "8004", "8080", "9090"))  # fmt: skip
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.paths = {
            f"/run/secrets/{name}": self._file(name, "a-token-of-the-test")
            for name in ("mcp_token", "kubeconfig", "pagerduty_token", "web_token")
        }
        for service in self.services.values():
            for volume in service.get("volumes", ()):
                self.paths[volume["target"]] = self._volume(volume)

    def _volume(self, volume: Mapping[str, Any]) -> str:
        if volume["type"] == "bind" and Path(volume["source"]).is_dir():
            return str(volume["source"])
        if volume["type"] == "bind":
            return self._file(
                Path(volume["target"]).name, Path(volume["source"]).read_text("utf-8")
            )
        kept = self.folder / str(volume["source"])
        kept.mkdir(exist_ok=True)
        return str(kept)

    def _file(self, name: str, text: str) -> str:
        """A file of a container; addresses in it are this machine's."""
        path = self.folder / name
        path.write_text(text, "utf-8")
        return str(path)

    def finish_files(self) -> None:
        for name in ("assistant.toml", "prometheus.yml"):
            path = self.folder / name
            path.write_text(self.here(path.read_text("utf-8")), "utf-8")

    def here(self, text: str) -> str:
        """A word of a command, a variable or a file, as it reads on this machine."""
        text = HOST.sub("//127.0.0.1:", text).replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        text = PORT.sub(lambda found: str(self.ports[found[0]]), text)
        for inside in sorted(self.paths, key=len, reverse=True):
            text = re.sub(rf"(?<![\w/]){re.escape(inside)}(?![\w.-])", self.paths[inside], text)
        return text

    def command(self, words: Sequence[str]) -> list[str]:
        first, *rest = words
        found = {"python": sys.executable}.get(first) or str(PROGRAMS / first)
        program = found if Path(found).exists() else shutil.which(first) or first
        return [program, *map(self.here, rest)]

    def environment(self, service: Mapping[str, Any]) -> dict[str, str]:
        kept = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        given = {k: self.here(v) for k, v in (service.get("environment") or {}).items() if v}
        # What the lab calls itself to others is `lab`; here it is loopback.
        return kept | given

    def start(self, name: str) -> None:
        """The service, after those that it depends on are healthy."""
        if name in self.processes:
            return
        service = self.services[name]
        for other in service.get("depends_on", ()):
            self.start(other)
            self.wait_until_healthy(other)
        command = [word if word != "lab" or before != "--name" else "127.0.0.1"
                   for before, word in zip(["", *service["command"]], service["command"], strict=False)]  # fmt: skip
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                self.command([*(service.get("entrypoint") or ()), *command]),
                env=self.environment(service), cwd=self.folder, stdout=log, stderr=log,
            )  # fmt: skip

    def run(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """What `docker compose run --rm NAME WORDS` would do."""
        service = self.services[name]
        command = [*(service.get("entrypoint") or ()), *(words or service["command"])]
        return subprocess.run(
            self.command(command), env=self.environment(service), cwd=self.folder,
            check=False, capture_output=True, text=True, timeout=100,
        )  # fmt: skip

    def wait_until_healthy(self, name: str) -> None:
        test = self.services[name]["healthcheck"]["test"]
        assert test[0] == "CMD"
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.processes[name].poll() is None:
            asked = subprocess.run(
                self.command(test[1:]), check=False, capture_output=True, timeout=30
            )
            if asked.returncode == 0:
                return
            time.sleep(0.1)
        said = (self.folder / f"{name}.log").read_text("utf-8", "replace")
        raise AssertionError(f"{name} never answered its health check; it said: {said[-2000:]}")


def _free_ports(names: Sequence[str]) -> dict[str, int]:
    """A free port for each; in a row, as the lab publishes its own, and below those that the
    kernel hands out to whoever asks.
    """
    for _ in range(100):
        start = 20_000 + secrets.randbelow(12_000)
        try:
            for offset in range(len(names)):
                socket.create_server(("127.0.0.1", start + offset)).close()
        except OSError:
            continue
        return {name: start + offset for offset, name in enumerate(names)}
    raise AssertionError("no free ports in a row")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if not shutil.which("prometheus"):
        pytest.skip("needs the programs prometheus and promtool on PATH")
    made = Machine(tmp_path_factory.mktemp("stack"))
    made.finish_files()
    try:
        for name in made.services:
            if name not in ONE_SHOT | AT_NIGHT:
                made.start(name)
        yield made
    finally:
        for process in made.processes.values():
            process.terminate()
        for process in made.processes.values():
            process.wait(timeout=20)


@pytest.mark.parametrize("name", sorted(set(NAMES) - ONE_SHOT - AT_NIGHT))
def test_a_services_command_answers_its_health_check(machine: Machine, name: str) -> None:
    machine.wait_until_healthy(name)


def test_ingestion_then_a_triage_over_http_finds_the_cause(machine: Machine) -> None:
    for name in machine.processes:
        machine.wait_until_healthy(name)
    ingested = machine.run("ingest", *machine.services["ingest"]["command"], "--embedding", "none")
    assert ingested.returncode == 0, ingested.stderr
    examined = machine.run("assistant")
    assert examined.returncode == 0, examined.stdout + examined.stderr
    alert = re.search(r"# assistant triage (\S+)", (machine.folder / "lab.log").read_text("utf-8"))
    assert alert
    report = machine.run("assistant", "triage", alert[1], "--plain")
    assert report.returncode == 0, report.stdout + report.stderr
    assert "verdict: cause found" in report.stdout
    assert "cannot be pulled" in report.stdout
    for name in ("kubernetes", "prometheus", "pagerduty", "runbooks"):
        assert audit.verify(Path(machine.paths["/audit"]) / f"{name}.jsonl") == []
