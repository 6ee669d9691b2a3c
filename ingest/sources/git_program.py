"""Runs the `git` program on one mirror: without a shell, prompts, hooks or anybody's settings, within a time."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from ingest.errors import IngestError
from ingest.sources.secret import Secret

PROTOCOLS = "https:http:ssh:file"
"""What git may speak. Not `ext`, which runs a program that the address names."""
LONGEST_WORDS = 400
OPTIONS = (
    "--literal-pathspecs",
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "gc.autoDetach=false"),
    *("-c", "maintenance.autoDetach=false"),
)
KEPT = re.compile(
    r"PATH|HOME|USER|TMPDIR|SSH_AUTH_SOCK|GIT_SSH_COMMAND|GIT_SSL_CAINFO|SSL_CERT_(FILE|DIR)"
    r"|(?i:(https?|all|no)_proxy)"
)
"""What git may know of the environment: where programs, keys, certificates and proxies are."""
_LOGIN = re.compile(r"(?<=://)[^/\s@]*@")


@dataclass(frozen=True, slots=True)
class GitProgram:
    """The `git` program on the bare repository `mirror`."""

    mirror: Path
    environment: Mapping[str, str] = field(repr=False)
    url: str = ""
    """The only place that the secret is sent to."""
    user: str = ""
    secret: Secret = field(default_factory=Secret)

    async def run(self, *arguments: str, seconds: float = 60.0) -> bytes:
        """What it prints. Raises `IngestError` in git's own words, without any credentials."""
        command = ["git", *OPTIONS, f"--git-dir={self.mirror}", *arguments]
        try:
            with anyio.fail_after(seconds):
                done = await anyio.run_process(
                    command, stdin=subprocess.DEVNULL, check=False, env=self._environment()
                )
        except TimeoutError:
            raise IngestError(
                f"git {arguments[0]} of {self.shown(self.url)!r} did not end within {seconds:.0f} s"
            ) from None
        except OSError as error:
            raise IngestError(f"the program git cannot be run: {error.strerror}") from error
        if done.returncode:
            words = self.shown(done.stderr.decode("utf-8", "replace"))
            raise IngestError(f"git {arguments[0]} of {self.shown(self.url)!r} failed: {words}")
        return done.stdout

    def shown(self, text: str) -> str:
        """Text for a person: one line, without credentials."""
        folded = " ".join(self.secret.hidden_in(_LOGIN.sub("***@", text)).split())
        return folded if len(folded) <= LONGEST_WORDS else folded[:LONGEST_WORDS] + "…"

    def _environment(self) -> dict[str, str]:
        """What git may know. A token goes here: arguments and files can be read by others."""
        kept = {name: text for name, text in self.environment.items() if KEPT.fullmatch(name)}
        ours = {
            "LC_ALL": "C",
            "GIT_ALLOW_PROTOCOL": PROTOCOLS,
            "GIT_ASKPASS": "false",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }
        return {"GIT_SSH_COMMAND": "ssh -o BatchMode=yes", **kept, **ours, **self._login()}

    def _login(self) -> dict[str, str]:
        token = self.secret.value()
        if not token:
            return {}
        both = base64.b64encode(f"{self.user}:{token}".encode()).decode()
        return {
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": f"http.{self.url}.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {both}",
            "GIT_CONFIG_KEY_1": "http.followRedirects",
            "GIT_CONFIG_VALUE_1": "false",
        }
