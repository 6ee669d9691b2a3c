"""What keeps a volume from being bound to a claim, property by property. Pure."""

from __future__ import annotations

from collections.abc import Callable

from assistant.checks.reading.objects.placement import matches
from assistant.checks.reading.objects.quantities import quantity
from assistant.snapshot import Object, dig, listing, mapping

Rule = Callable[[Object, Object], str]
"""(claim, volume) -> why the volume does not fit, or an empty text"""


def _class(claim: Object, volume: Object) -> str:
    wanted, have = claim.spec.get("storageClassName"), volume.spec.get("storageClassName") or ""
    if wanted is None or (wanted or "") == have:
        return ""
    return f"it asks for storage class {wanted or 'none'!r}, {volume.entity} has {have or 'none'!r}"


def _modes(claim: Object, volume: Object) -> str:
    wanted, have = listing(claim.spec, "accessModes"), listing(volume.spec, "accessModes")
    missing = [mode for mode in wanted if mode not in have]
    return (
        f"it asks for access mode {missing[0]}, {volume.entity} offers {', '.join(map(str, have))}"
        if missing
        else ""
    )


def _capacity(claim: Object, volume: Object) -> str:
    wanted = dig(claim.spec, "resources", "requests", "storage")
    have = dig(volume.spec, "capacity", "storage")
    small = wanted and have and quantity(wanted) > quantity(have)
    return f"it asks for {wanted}, {volume.entity} has {have}" if small else ""


def _selector(claim: Object, volume: Object) -> str:
    selector = mapping(claim.spec, "selector")
    plain = mapping(selector, "matchLabels")
    missing = [f"{k}={v}" for k, v in plain.items() if volume.labels.get(k) != v]
    missing += [
        str(dig(e, "key"))
        for e in listing(selector, "matchExpressions")
        if not matches(mapping(e), volume.labels)
    ]
    return (
        f"it selects {', '.join(missing)}, which {volume.entity} does not have" if missing else ""
    )


def _occupied(claim: Object, volume: Object) -> str:
    reference = mapping(volume.spec, "claimRef")
    held = (reference.get("namespace"), reference.get("name"))
    if not reference or held == (claim.namespace, claim.name):
        return ""
    phase = volume.status.get("phase", "Bound")
    return f"{volume.entity} is {phase} for {held[0]}/{held[1]}"


RULES: tuple[tuple[str, Rule], ...] = (
    ("pvc_storage_class_mismatch", _class),
    ("pvc_access_mode_mismatch", _modes),
    ("pvc_capacity_mismatch", _capacity),
    ("pvc_selector_mismatch", _selector),
    ("pv_binding_occupied", _occupied),
)


def misfits(claim: Object, volume: Object) -> dict[str, str]:
    """Every property by which a volume misses a claim, with the two values."""
    return {kind: text for kind, rule in RULES if (text := rule(claim, volume))}
