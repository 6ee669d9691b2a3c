"""What was said, out of what Slack sends: plain text, without markup and without our own name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

REFERENCE = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
PAGERDUTY_LINK = re.compile(
    r"https?://[\w.-]+\.pagerduty\.com/(?:incidents|alerts)/([A-Z0-9]{6,32})(?![A-Za-z0-9])"
)
PAGERDUTY_NUMBER = re.compile(r"(?i:incident|triggered|acknowledged|resolved)\W{0,4}#(\d{1,9})\b")
BRACKETED_NUMBER = re.compile(r"\[#(\d{1,9})\]")
ALERTMANAGER_TITLE = re.compile(
    r"\[(?:FIRING|RESOLVED)(?::\d+)?\]\s*:?\s*([A-Za-z_][\w.:-]{1,120})"
)
ALERTMANAGER_LABEL = re.compile(
    r"(?i)\balert(?:name)?\b[*_` ]*[:=][*_` \"]*([A-Za-z_][\w.-]{1,120})"
)
ALERTMANAGER_QUERY = re.compile(r"alertname=\"?([A-Za-z_][\w.-]{1,120})")
ALERT = (
    PAGERDUTY_LINK,
    PAGERDUTY_NUMBER,
    BRACKETED_NUMBER,
    ALERTMANAGER_TITLE,
    ALERTMANAGER_LABEL,
    ALERTMANAGER_QUERY,
)
"""How the two name an alert, the surest form first."""
DEEPEST = 12


def spoken(text: str, ourselves: str) -> str:
    """What a person typed: links and names as they are read, the mention of ourselves left out."""
    without = re.sub(rf"<@{re.escape(ourselves)}(?:\|[^<>]*)?>", "", text) if ourselves else text
    return _plain(without).strip()


def _plain(text: str) -> str:
    read = REFERENCE.sub(_reference, text)
    for written, meant in ENTITIES:
        read = read.replace(written, meant)
    return read


def _reference(found: re.Match[str]) -> str:
    sign, target, label = found.groups()
    if sign == "!":
        return f"@{label or target}".replace("@@", "@")
    if sign:
        return f"{sign}{label or target}"
    # A link's address is what was meant: `triage https://…/incidents/P1`. Slack labels bare names.
    return label if label and target.endswith(label) else target


def alert_in(message: Mapping[str, Any]) -> str:
    """The id, number or name of the alert in a message of PagerDuty or Alertmanager, or nothing."""
    texts = [*map(_plain, _texts(message, 0))]
    texts += [unquote(text) for text in texts if "%" in text]
    for form in ALERT:
        for text in texts:
            if found := form.search(text):
                return found.group(1)
    return ""


def _texts(value: Any, depth: int) -> Iterator[str]:
    """Every text of a message: its own, its attachments', its blocks' and its buttons' addresses."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping) and depth < DEEPEST:
        if isinstance(title := value.get("title"), str):
            # A field shows its name and its value apart; together they read `alertname: X`.
            yield f"{title}: {value.get('value', '')}"
        for inner in value.values():
            yield from _texts(inner, depth + 1)
    elif isinstance(value, list) and depth < DEEPEST:
        for inner in value:
            yield from _texts(inner, depth + 1)
