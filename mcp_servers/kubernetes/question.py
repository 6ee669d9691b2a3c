"""What is asked of an API server, and safe paths to ask it at. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mcp_servers.answer import Status, ToolFailure

JSON = "application/json"
# Only names and labels of each object, where nothing else is used.
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
ANYTHING = "*/*"
# Names of all kinds (RBAC's carry colons), and nothing that could climb out of a path.
SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,252}")


@dataclass(frozen=True, slots=True)
class Question:
    """One request: where, and how it is asked."""

    path: str
    query: tuple[tuple[str, str], ...] = ()
    accept: str = JSON
    body: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        """`GET /api/v1/pods?limit=500`, without the opaque continue token."""
        shown = "&".join(f"{name}={value}" for name, value in self.query if name != "continue")
        method = "GET" if self.body is None else "POST"
        return f"{method} {self.path}{'?' + shown if shown else ''}"


def segment(name: str, what: str) -> str:
    """`name` as one path segment. Raises a ToolFailure where no object can have such a name."""
    if not SEGMENT.fullmatch(name):
        raise ToolFailure(Status.ERROR, f"{what}={name!r} cannot be a name in Kubernetes")
    return quote(name, safe=":")
