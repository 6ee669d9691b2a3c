"""What programs say in their logs of names and addresses that they cannot reach."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from assistant.checks.case import Case
from assistant.checks.reading.logs.complaints import Complaint, complaints
from assistant.checks.reading.logs.log_meanings import MEANINGS
from assistant.checks.reading.logs.log_reading import read
from assistant.incident import Entity, Evidence
from assistant.snapshot import Object, dig, listing

UNRESOLVED, REFUSED, TIMEOUT = "name_not_resolved", "dependency_refused", "dependency_timeout"


async def unreached(case: Case, *kinds: str) -> Mapping[Entity, list[Complaint]]:
    """What each workload whose log is read says it could not reach, in one of these ways."""
    logs = await read(case)
    # Few logs are worth taking apart: one of these stands in every line that is meant.
    hints = {hint for kind, stem in MEANINGS if kind in kinds for hint in stem.hints}
    return {
        owner: [said for said in complaints(owner, hinting) if said.kind in kinds]
        for owner, rows in logs.items()
        if (hinting := [row for row in rows if _holds(row, hints)])
    }


def _holds(log: Evidence, hints: Iterable[str]) -> bool:
    text = log.text.lower()
    return any(hint in text for hint in hints)


def lines(
    logs: Iterable[Evidence], wanted: Callable[[str], bool]
) -> Iterator[tuple[Evidence, str, str]]:
    """(log, time, text) of each line whose text in lower case is wanted."""
    for log in logs:
        for row in [*listing(log.data, "errors"), *listing(log.data, "lines")]:
            text = str(dig(row, "text") or "")
            if wanted(text.lower()):
                yield log, str(dig(row, "time") or ""), text


def speaks_of(said: Complaint, service: Object, pods: Iterable[Object]) -> bool:
    """Whether an address is that of a Service, by name or number, or of one of its pods."""
    name, _, rest = said.host.partition(".")
    near = name == service.name and (not rest or rest.split(".")[0] == service.namespace)
    numbers = [service.spec.get("clusterIP"), *listing(service.spec, "clusterIPs")]
    numbers += [pod.status.get("podIP") for pod in pods]
    return bool(said.host) and (near or said.host in numbers)
