"""Why a change is innocent, in the words that a person would ask for, and what says so. Pure."""

from __future__ import annotations

from assistant.changed import DORMANT, NEW_PODS, RETURNS_TO, content, well
from assistant.diagnosis.changes import CLOCK_SLACK
from assistant.diagnosis.seen import Seen
from assistant.diagnosis.touched import Fit, best_fit, touched
from assistant.diagnosis.weighing import Weighed
from assistant.diagnosis.words import span
from assistant.faults import fault
from assistant.incident import Citation, Entity, Finding

Acquittal = tuple[str, tuple[Citation, ...]]


def acquitted(change: Finding, best: Weighed | None, seen: Seen) -> Acquittal:
    """The first reason that holds, and the citations that it rests on besides the change's own."""
    reasons = (_late, _dormant, _unharmed, _caller, _unable, _again, _early)
    found = (reason(change, best, seen) for reason in reasons)
    return next((row for row in found if row), _outweighed(change, best))


def _ill_at(change: Finding, seen: Seen) -> list[Finding]:
    places = touched(change, seen.topology)
    return [item for item in seen.ill if item.entity in places]


def _late(change: Finding, best: Weighed | None, seen: Seen) -> Acquittal | None:
    """It came after the trouble."""
    onset = best.finding.began if best and best.finding.began else seen.scope.began
    if change.began and change.began > onset + CLOCK_SLACK:
        said = best.finding.citations if best else ()
        return f"it was made {span(change.began - onset)} after the trouble had begun", said
    return None


def _dormant(change: Finding, _: Weighed | None, __: Seen) -> Acquittal | None:
    """It never reached a program, or it changed nothing."""
    if DORMANT in change.details:
        return f"it is not in effect: {change.details[DORMANT]}", ()
    if change.kind == "recent_rollout" and not content(change):
        return "it changed nothing: the same template was started again", ()
    return None


def _unharmed(change: Finding, _: Weighed | None, seen: Seen) -> Acquittal | None:
    """Nothing is wrong where it was made."""
    if _ill_at(change, seen):
        return None
    text = f"nothing that was seen is wrong with {change.entity} since"
    pods = change.details.get(NEW_PODS, "")
    return (f"{text}; of its pods {pods}" if well(pods) else text), ()


def _caller(change: Finding, best: Weighed | None, seen: Seen) -> Acquittal | None:
    """It was made at a victim: the trouble comes to it from what it calls or needs."""
    if best is None or best.finding.entity in touched(change, seen.topology):
        return None
    way = seen.topology.path(best.finding.entity, change.entity)
    if not way:
        return None
    return (
        f"{change.entity} depends on {best.finding.entity}, whose trouble reaches it by itself",
        best.finding.citations,
    )


def _unable(change: Finding, best: Weighed | None, seen: Seen) -> Acquittal | None:
    """What it touched does not bring about what is wrong there."""
    wrong = _ill_at(change, seen)
    if best_fit(change, wrong) is not Fit.NONE or not content(change):
        return None
    kinds = ", ".join(dict.fromkeys(fault(item.kind).title.lower() for item in wrong[:2]))
    paths = ", ".join(list(content(change))[:2])
    said = wrong[0].citations if best is None else best.finding.citations
    return f"what it touched ({paths}) does not bring about what is wrong there ({kinds})", said


def _again(change: Finding, _: Weighed | None, __: Seen) -> Acquittal | None:
    """It went back to what had run before."""
    back = change.details.get(RETURNS_TO)
    return (f"it went back to revision {back}, which had run before", ()) if back else None


def _early(change: Finding, best: Weighed | None, seen: Seen) -> Acquittal | None:
    """All was well for long after it, or not well before it."""
    wrong = _ill_at(change, seen)
    dated = sorted((f for f in wrong if f.began), key=lambda f: (str(f.began), f.id))
    if best is not None and best.finding.entity in touched(change, seen.topology):
        return None
    if not dated or not dated[0].began or not change.began:
        return None
    gap = dated[0].began - change.began
    if gap < -CLOCK_SLACK:
        return f"{change.entity} was ill {span(-gap)} before it", dated[0].citations
    return f"{span(gap)} went well between it and the first trouble there", dated[0].citations


def _outweighed(change: Finding, best: Weighed | None) -> Acquittal:
    if best is None:
        return f"nothing but its time speaks for it: {_since(change.entity)}", ()
    title = fault(best.finding.kind).title.lower()
    return (
        f"what is wrong there is explained by something more specific: {title} at "
        f"{best.finding.entity}",
        best.finding.citations,
    )


def _since(entity: Entity) -> str:
    return f"what is wrong with {entity} may have another cause"
