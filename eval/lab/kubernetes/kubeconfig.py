"""The kubeconfig with which a client reaches the lab's cluster."""

from __future__ import annotations

from pathlib import Path

import yaml

from eval.lab.kubernetes.status import USER


def write_kubeconfig(path: Path, context: str, url: str, token: str) -> None:
    """One cluster, one user with a bearer token, one context of the given name; readable by us alone."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": {"server": url}}],
        "users": [{"name": USER, "user": {"token": token}}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": USER}}],
        "current-context": context,
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(config), "utf-8")
