"""What each server reads from its environment, in words: for `--help`, and for the one line that a
server says at its start when the variable without which it can answer nothing is not set.
"""

from __future__ import annotations

from collections.abc import Mapping

Words = Mapping[str, str]

OWN: Mapping[str, Words] = {
    "kubernetes": {
        "KUBECONFIG": "a kubeconfig file; else ~/.kube/config, else the pod's own account",
        "KUBERNETES_CONTEXT": "a context of it; else its current one",
    },
    "prometheus": {
        "PROMETHEUS_URL": "the address of Prometheus, e.g. http://prometheus:9090",
        "PROMETHEUS_TOKEN": "a bearer token, where it asks for one (or PROMETHEUS_TOKEN_FILE)",
        "PROMETHEUS_MAX_RANGE_DAYS": "the longest window that may be asked at once; 7",
    },
    "pagerduty": {
        "PAGERDUTY_TOKEN": "a read-only REST API key (or PAGERDUTY_TOKEN_FILE)",
        "PAGERDUTY_API_URL": "another address than https://api.pagerduty.com",
    },
    "runbooks": {
        "RUNBOOKS_INDEX": "the folder that `python -m ingest` made",
        "CHROMA_URL": "the Chroma server of that index, where it has one",
    },
}
GUARD: Words = {
    "MCP_POLICY_FILE": "what may be called; without it: reads, no writes",
    "MCP_AUDIT_FILE": "one line per call; else under XDG_STATE_HOME or ~/.local/state",
    "MCP_AUDIT_KEY": "seals the audit's lines",
    "MCP_HTTP_TOKEN": "what callers over HTTP must show (or MCP_HTTP_TOKEN_FILE)",
}
NEEDED: Words = {
    "prometheus": "PROMETHEUS_URL",
    "pagerduty": "PAGERDUTY_TOKEN",
    "runbooks": "RUNBOOKS_INDEX",
}
"""The kubernetes server finds a cluster by itself where it runs beside one."""


def described(name: str) -> str:
    """The variables of a server and of its guard, one to a line."""
    words = {**OWN[name], **GUARD}
    width = max(map(len, words))
    return "\n".join(f"  {variable:<{width}}  {text}" for variable, text in words.items())


def missing(name: str, environment: Mapping[str, str]) -> str:
    """One line where a server was given nothing to look at; otherwise nothing."""
    needed = NEEDED.get(name, "")
    if not needed or environment.get(needed) or environment.get(f"{needed}_FILE"):
        return ""
    return f"{needed} is not set, and every call will say so. It holds {OWN[name][needed]}."
