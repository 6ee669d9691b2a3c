"""The arguments that several tools share: bounded, and described once."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Namespace = Annotated[str, Field(description="e.g. payments; empty: all", max_length=63)]
OneNamespace = Annotated[str, Field(description="e.g. payments", min_length=1, max_length=63)]
Name = Annotated[str, Field(description="e.g. checkout", min_length=1, max_length=253)]
PodName = Annotated[
    str, Field(description="e.g. checkout-5d9c7-x2x7k", min_length=1, max_length=253)
]
KindName = Annotated[str, Field(max_length=120)]
Selector = Annotated[str, Field(description="e.g. app=web,tier!=db", max_length=1000)]
Cursor = Annotated[str, Field(description="next_cursor of the page before", max_length=4000)]
Time = Annotated[str, Field(description="RFC 3339, e.g. 2026-01-31T12:00:00Z", max_length=40)]
Limit = Annotated[int, Field(ge=1, le=500)]
