"""The policy file: rules in order, the first that matches decides, and no match means no."""

from __future__ import annotations

from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.guard.call import Call


class PolicyError(Exception):
    """The policy file cannot be used; the text says which line of thought to mend."""


class Rule(BaseModel):
    """One rule. Every condition that is given must hold; a condition left out always holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    decide: Literal["allow", "deny"]
    tools: tuple[str, ...] = ("*",)
    """Globs over `server.tool`; reading a resource is `server.read_resource`."""
    access: Literal["any", "read", "write"] = "any"
    namespaces: tuple[str, ...] | None = None
    """Globs over the `namespace` argument."""
    callers: tuple[str, ...] | None = None
    """Globs over the verified subject (never over what a caller says of itself)."""
    reason: str = ""


class Policy(BaseModel):
    """The rules of one file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1]
    rules: tuple[Rule, ...] = Field(min_length=1)

    def decide(self, server: str, call: Call) -> None:
        """Note the decision on the call; raises `ToolFailure` when it is no."""
        rule = next((rule for rule in self.rules if _matches(rule, server, call)), None)
        call.rule = rule.name if rule else "no rule matched"
        if rule is not None and rule.decide == "allow":
            call.decision = "allow"
            return
        call.decision = "deny"
        reason = (rule.reason if rule else "") or "The policy does not allow this call."
        raise ToolFailure(
            Status.DENIED,
            f"{server}.{call.target.name} was denied by policy rule {call.rule!r}: {reason}",
            ("Ask whoever runs this server to change its policy file, or ask something else.",),
        )


def load(path: Path | None) -> Policy:
    """The policy in `path`, or the one that ships with the package."""
    shipped = files("mcp_servers.guard") / "default_policy.yaml"
    try:
        text = path.read_text("utf-8") if path else shipped.read_text("utf-8")
        return Policy.model_validate(yaml.safe_load(text))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PolicyError(f"Cannot read the policy file '{path}': {error}") from error
    except ValidationError as error:
        raise PolicyError(f"The policy file '{path}' is wrong: {_faults(error)}") from None


def _faults(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in found)


def _matches(rule: Rule, server: str, call: Call) -> bool:
    return (
        _any_glob(rule.tools, f"{server}.{call.target.name}")
        and rule.access in ("any", "write" if call.target.writes else "read")
        and (rule.namespaces is None or _covers_namespace(rule, rule.namespaces, call))
        and (rule.callers is None or _any_glob(rule.callers, call.caller.subject))
    )


def _covers_namespace(rule: Rule, globs: tuple[str, ...], call: Call) -> bool:
    """A call over every namespace touches a forbidden one, and is more than an allowed one."""
    namespace: Any = call.arguments.get("namespace") or ""
    if namespace:
        return _any_glob(globs, str(namespace))
    if rule.decide == "deny":
        return "namespace" in call.target.parameters
    return "*" in globs


def _any_glob(globs: tuple[str, ...], text: str) -> bool:
    return any(fnmatchcase(text, glob) for glob in globs)
