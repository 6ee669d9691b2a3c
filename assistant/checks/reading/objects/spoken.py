"""Whether an alert speaks of a matter: what is rarely urgent becomes so where somebody was woken for it."""

from __future__ import annotations

import re

from assistant.checks.case import Case

_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_")

HINTED = 0.5
"""How clearly a matter is seen that harms nothing yet, and that the alert does not speak of."""


def speaks_of(case: Case, *words: str) -> bool:
    """Whether a word of the alert's title, labels or details begins as one of these."""
    alert = case.alert
    text = " ".join([alert.title, alert.details, *alert.labels.values()])
    parted = _HUMPS.sub(" ", text).lower()  # KubeJobFailed -> kube job failed
    stems = "|".join(re.escape(word.lower()) for word in words)
    return bool(re.search(rf"(?<![\w-])(?:{stems})", f"{parted} {text.lower()}"))


def urgency(case: Case, *words: str) -> float:
    """The strength of a matter that is a cause only where the alert is about it."""
    return 1.0 if speaks_of(case, *words) else HINTED
