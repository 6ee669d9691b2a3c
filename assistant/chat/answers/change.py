"""A request to change something -> the exact command for a person. Nothing is carried out here.

A command names only what was seen to be there, and is quoted for a shell.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator

from assistant.chat.answers.asked import Asked, Said
from assistant.chat.answers.place import INVENTORY
from assistant.chat.answers.words import cite, marks, plain
from assistant.chat.contract import Choice
from assistant.chat.understanding import Verb
from assistant.incident import Action, Citation, Entity, Report, Risk
from assistant.report.markdown import fenced
from assistant.snapshot import dig, listing
from assistant.triage.propose import undo

NOT_DONE = "I only read. A person has to run this; nothing was changed."
_MOST_REPLICAS = 1000
_SCALABLE = ("Deployment", "StatefulSet")
_WORDS = {
    Verb.ROLL_BACK: ("rollout undo",),
    Verb.RESTART: ("rollout restart", "delete pod"),
    Verb.SCALE: ("scale ", "set resources"),
    Verb.CORDON: ("kubectl cordon",),
    Verb.UNCORDON: ("kubectl uncordon",),
    Verb.OTHER: ("set resources", "edit "),
}
_PAGER = {
    Verb.ACKNOWLEDGE: ("acknowledged", "the incident goes back to triggered when the acknowledgement times out"),
    Verb.RESOLVE: ("resolved", "none: a resolved incident cannot be opened again, only triggered anew"),
}  # fmt: skip


async def change(asked: Asked) -> Said:
    """The exact command, its risk, how to undo it, and who has to run it."""
    verb = asked.meaning.verb or Verb.OTHER
    if verb in _PAGER:
        return _pager(asked, verb)
    if action := _proposed(asked, verb):
        return _shown(asked, action, _findings(asked.report, action))
    if asked.subject is None:
        return _unclear(asked, verb)
    current = await _replicas_now(asked)
    made = _made(asked, asked.subject, verb, current[0])
    return _shown(asked, made, current[1]) if made else _unclear(asked, verb)


def _proposed(asked: Asked, verb: Verb) -> Action | None:
    """What the report proposes already, where it is this kind of change to this thing."""
    if asked.report is None or asked.meaning.replicas is not None:
        return None
    for action in asked.report.actions:
        same = any(word in action.command for word in _WORDS.get(verb, ()))
        named = asked.subject is None or asked.subject.name in action.command
        fits = verb is not Verb.OTHER or asked.subject is not None
        if action.risk is not Risk.NONE and same and named and fits:
            return action
    return None


def _findings(report: Report | None, action: Action) -> tuple[Citation, ...]:
    known = {one.id: one for one in report.findings} if report else {}
    found = (known[id] for id in action.findings if id in known)
    return tuple(dict.fromkeys(c for one in found for c in one.citations))


async def _replicas_now(asked: Asked) -> tuple[int | None, tuple[Citation, ...]]:
    answer = (await asked.seen.all([INVENTORY]))[0]
    for row in listing(answer.data, "workloads"):
        thing = (dig(row, "kind"), dig(row, "namespace"), dig(row, "name"))
        subject = asked.subject
        if subject and thing == (subject.kind, subject.namespace, subject.name):
            return int(dig(row, "desired") or 0), (cite(answer, subject.name),)
    return None, (cite(answer),)


def _made(asked: Asked, subject: Entity, verb: Verb, replicas: int | None) -> Action | None:
    makers: dict[Verb, Callable[[], Action | None]] = {
        Verb.RESTART: lambda: _restart(subject),
        Verb.SCALE: lambda: _scale(subject, asked.meaning.replicas, replicas),
        Verb.ROLL_BACK: lambda: _roll_back(subject),
    }
    return makers[verb]() if verb in makers and subject.kind != "Workload" else None


def _place(subject: Entity) -> str:
    return f"kubectl -n {shlex.quote(subject.namespace)}"


def _target(subject: Entity) -> str:
    return shlex.quote(f"{subject.kind.lower()}/{subject.name}")


def _restart(subject: Entity) -> Action:
    return Action(
        title=f"Restart {subject}, pod by pod",
        command=f"{_place(subject)} rollout restart {_target(subject)}",
        risk=Risk.MEDIUM,
        rollback="none needed: the pods come up with the same template; what they held in memory is lost",
        verify=f"{_place(subject)} rollout status {_target(subject)}",
    )


def _scale(subject: Entity, wanted: int | None, now: int | None) -> Action | None:
    if subject.kind not in _SCALABLE or (wanted is not None and wanted > _MOST_REPLICAS):
        return None
    base = f"{_place(subject)} scale {_target(subject)} --replicas="
    return Action(
        title=f"Scale {subject} to {wanted if wanted is not None else 'the number you name'}",
        command=f"{base}{wanted if wanted is not None else '<number>'}",
        risk=Risk.HIGH if wanted == 0 else Risk.LOW,
        rollback=f"{base}{now if now is not None else '<as it was>'}",
        verify=f"{_place(subject)} rollout status {_target(subject)}",
    )


def _roll_back(subject: Entity) -> Action:
    command, risk, rollback = undo(subject)
    return Action(
        title=f"Roll {subject} back by one revision",
        command=command,
        risk=risk,
        rollback=rollback,
        verify=f"{_place(subject)} rollout status {_target(subject)}",
    )


def _pager(asked: Asked, verb: Verb) -> Said:
    alert = asked.report.alert if asked.report else None
    id = alert.id if alert else asked.meaning.alert or asked.thread.alert
    if not id.isalnum():
        return Said("Which incident? Say for example: acknowledge P123.", sure=False)
    status, back = _PAGER[verb]
    body = f'{{"incident":{{"type":"incident_reference","status":"{status}"}}}}'
    command = (
        f"curl -sS -X PUT https://api.pagerduty.com/incidents/{id}"
        ' -H "Authorization: Token token=$PAGERDUTY_TOKEN" -H "From: $YOUR_EMAIL"'
        f" -H 'Content-Type: application/json' -d {shlex.quote(body)}"
    )
    action = Action(
        title=f"Set PagerDuty incident {id} to {status}",
        command=command,
        risk=Risk.LOW,
        rollback=back,
    )
    seen = next((e for e in asked.report.evidence if e.tool == "pagerduty.get_incident"), None) if asked.report else None  # fmt: skip
    return _shown(asked, action, (cite(seen, id),) if seen else ())


def _shown(asked: Asked, action: Action, cited: tuple[Citation, ...]) -> Said:
    lines = [
        f"**{plain(action.title)}** {marks(cited)}".rstrip(),
        fenced(action.command, "sh"),
        f"Risk: {action.risk.value}. {' '.join(_warnings(asked))}".rstrip(),
        f"Undo: {_command(action.rollback)}" if action.rollback else "",
        f"Check: {_command(action.verify)}" if action.verify else "",
        _instead(asked.report, action),
        NOT_DONE,
    ]
    return Said("\n".join(filter(None, lines)), citations=cited, report=asked.report)


def _instead(report: Report | None, action: Action) -> str:
    """What the report proposes as a fix, where something else was asked for."""
    fixes = [one for one in report.actions if one.risk is not Risk.NONE] if report else []
    if not fixes or action in fixes or "pagerduty" in action.command:
        return ""
    return f"The report proposes: {plain(fixes[0].title)}: `{fixes[0].command}`"


def _command(text: str) -> str:
    head, sign, tail = text.partition(" (")
    if not text.startswith(("kubectl ", "curl ")):
        return plain(text)
    return f"`{head}`" + (f" {plain(sign + tail)}" if sign else "")


def _warnings(asked: Asked) -> Iterator[str]:
    report = asked.report
    if report and asked.subject and report.hypotheses:
        best = report.hypotheses[0]
        if asked.subject not in (best.entity, *best.chain):
            yield f"The report does not blame {plain(asked.subject)}, but {plain(best.entity)}."


def _unclear(asked: Asked, verb: Verb) -> Said:
    word = verb.value.replace("_", " ")
    what = "change that" if verb is Verb.OTHER else f"{word} that"
    text = f"I cannot {what}, and propose no command for it: "
    text += "only restart, scale, roll back, acknowledge and resolve, of one workload that I see. " + NOT_DONE  # fmt: skip
    choices: tuple[Choice, ...] = ()
    if asked.subject:
        name = f"{asked.subject.namespace}/{asked.subject.name}"
        choices = (Choice(label=f"Roll back {name}", text=f"roll back {name}"),)
    return Said(text, choices=choices, sure=False)
