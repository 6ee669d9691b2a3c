"""Where a server's own secret comes from: a variable, or a file that another variable names.

Reads nothing but what it is given the name of; never prints a secret.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mcp_servers.spec import Environment


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret, or why there is none: `problem` names the variable at fault."""

    secret: str = field(default="", repr=False)
    problem: str = ""


def credential(environment: Environment, variable: str) -> Credential:
    """The value of `variable`, or the content of the file named by `variable`_FILE."""
    secret = environment.get(variable, "").strip()
    path = environment.get(f"{variable}_FILE", "").strip()
    if secret or not path:
        return Credential(
            secret, "" if secret else f"neither {variable} nor {variable}_FILE is set"
        )
    try:
        secret = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        return Credential(problem=f"{variable}_FILE names {path!r}, which cannot be read: {error}")
    return Credential(secret, "" if secret else f"{variable}_FILE names {path!r}, which is empty")
