"""The command line as a user runs it: a process with a home of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

SECONDS = 100
COMMAND = (sys.executable, "-m", "assistant")
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE")


@dataclass(frozen=True)
class Shell:
    """Runs the command in an environment that holds nothing of the machine's own settings."""

    environment: Mapping[str, str]
    folder: Path

    @property
    def home(self) -> Path:
        """Where the state lies."""
        return Path(self.environment["ASSISTANT_HOME"])

    @property
    def lab_home(self) -> Path:
        """Where the state of the lab lies."""
        return self.home / "lab"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command, to its end."""
        return subprocess.run(
            [*COMMAND, *arguments],
            env=dict(self.environment),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        """A program of one's own, in the same environment."""
        return subprocess.run(
            [sys.executable, "-c", code],
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """The command in a process group of its own, so that it can be killed whole."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            env=dict(self.environment),
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def kill(process: subprocess.Popen[bytes]) -> None:
    """kill -9, the lab's Prometheus included, and wait for the end."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=10)


def environment_at(home: Path, cache_home: Path, index: Path) -> dict[str, str]:
    """What a command needs to know, and no more. A loaded machine gets a minute for a triage."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {
        "ASSISTANT_HOME": str(home),
        "ASSISTANT_BUDGET_SECONDS": "60",
        "XDG_CACHE_HOME": str(cache_home),
        "XDG_CONFIG_HOME": str(home),
        "RUNBOOKS_INDEX": str(index),
        "COLUMNS": "200",
    }


@pytest.fixture
def shell(tmp_path: Path, cache_home: Path, index: Path) -> Shell:
    """A home in which nothing was triaged yet."""
    return Shell(environment_at(tmp_path / "home", cache_home, index), tmp_path)


@pytest.fixture(scope="session")
def used(tmp_path_factory: pytest.TempPathFactory, cache_home: Path, index: Path) -> Shell:
    """A home in which cedar was triaged once, and the files that this wrote."""
    folder = tmp_path_factory.mktemp("used")
    shell = Shell(environment_at(folder / "home", cache_home, index), folder)
    done = shell.run("triage", "--lab", "cedar", "--json", "--html", "page.html", "--out", "forms")
    assert done.returncode == 0, done.stderr
    (folder / "stdout.json").write_text(done.stdout, encoding="utf-8")
    (folder / "stderr.txt").write_text(done.stderr, encoding="utf-8")
    return shell
