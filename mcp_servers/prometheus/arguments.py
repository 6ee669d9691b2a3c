"""The arguments that several tools share: bounded, and described once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

Start = Annotated[datetime, Field(description="RFC 3339, e.g. 2026-01-31T11:00:00Z")]
End = Annotated[datetime, Field(description="RFC 3339, e.g. 2026-01-31T12:00:00Z")]
At = Annotated[
    str, Field(max_length=40, description="RFC 3339, e.g. 2026-01-31T12:00:00Z; empty: now")
]
Promql = Annotated[
    str, Field(min_length=1, max_length=4000, description="PromQL, e.g. sum by (pod) (up)")
]
Namespace = Annotated[str, Field(max_length=253, description="e.g. payments; empty: all")]
