"""Label selectors as the Kubernetes API evaluates them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assistant.snapshot import listing, mapping


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector (labels and expressions, all of them) matches; an empty one does."""
    wanted = mapping(selector, "matchLabels")
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds_true(mapping(row), labels) for row in listing(selector, "matchExpressions")
    )


def _holds_true(row: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = str(row.get("key")), listing(row, "values")
    truth = {
        "In": labels.get(key) in values and key in labels,
        "NotIn": key not in labels or labels[key] not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }
    return truth.get(str(row.get("operator")), True)
