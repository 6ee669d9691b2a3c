"""How a finding of a change tells its particulars: what it touched, and notes beside it. Pure.

Checks write them and the diagnosis reads them; neither knows the other.
"""

from __future__ import annotations

from collections.abc import Mapping

from assistant.incident import Finding

NEW_PODS = "pods of the new revision"
"""`1 of 3 Ready`"""
OLD_PODS = "pods of the revision before"
RETURNS_TO = "returns to revision"
WRITTEN_BY = "written by"
DORMANT = "not in effect"
"""Why what was written has not reached a program yet."""
TOLD_BY = "told by"
SUMMARY = "summary"
NOTES = frozenset({NEW_PODS, OLD_PODS, RETURNS_TO, WRITTEN_BY, DORMANT, TOLD_BY, SUMMARY})
"""Particulars that say something of the change; every other one is a thing that it touched."""

REPLICAS = "spec.replicas"


def content(change: Finding) -> Mapping[str, str]:
    """What a change touched (a path, a key, a setting), and how: `before -> after`."""
    return {key: value for key, value in change.details.items() if key not in NOTES}


def well(readiness: str) -> bool:
    """Whether `3 of 3 Ready` speaks of pods that are all Ready; of no pods it says nothing."""
    have, _, wanted = readiness.removesuffix(" Ready").partition(" of ")
    return have == wanted not in ("", "0")


def ill(readiness: str) -> bool:
    """Whether `0 of 3 Ready` speaks of pods of which some are not Ready."""
    return bool(readiness) and not readiness.startswith("0 of 0") and not well(readiness)
