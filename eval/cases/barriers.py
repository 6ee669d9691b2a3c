"""What stands in the way: of requests that find nobody, and of pods that may not be made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Cut:
    """From when on nobody reaches a Service although its pods are ready, and how calls then fail."""

    at: datetime
    says: str
    seconds: float = 0.001


@dataclass(frozen=True)
class Refusal:
    """From when on the API server refuses to create pods of a revision, and in which words."""

    at: datetime
    message: str
    wanted: int
