"""Text -> Meaning: what is asked, of what, where and over which time. Pure, and without a model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from assistant.chat.understanding import entities
from assistant.chat.understanding.changes import is_wide, replicas_of, verb_of
from assistant.chat.understanding.grounds import Said, price
from assistant.chat.understanding.meaning import Context, Intent, Meaning, Verb
from assistant.chat.understanding.plain import Sentence, sentences
from assistant.chat.understanding.times import Spoken, spoken
from assistant.chat.understanding.weighing import asks, weighed

__all__ = ["SURE", "Context", "Intent", "Meaning", "Verb", "understand"]

SURE = 0.5
"""Below this confidence, it is better to ask what is meant."""

_CLOSE = 0.12
_TOLD = 0.85
_FREE_STRANGERS = 1
_MOST_READ = 4000
_MOST_SENTENCES = 40
_PLAINLY = 0.85
_WIDE_VERB = (0.8, 0.7)
_ABOUT_RUNBOOK = re.compile(
    r"\b(?:about|for|on|regarding|concerning|of|against|with|when|if|fix|handle|mitigate|solve|repair|covers?|covering|how to)\s+"
    r"(?:how to\s+|what to do (?:for|about|with|on|when)\s+)?(?:the\s+|an?\s+)?(?P<topic>.+?)(?:\s+(?:please|thanks|again|now))*$"
)
_NO_TOPIC = re.compile(
    r"^(?:this|that|it|these|here|us|me|now|then|the incident|the alert|this \w+)?$"
)
_FOLLOWS = re.compile(r"^(?:and|what about|how about|same|also|now|then|or|but|ok|okay)\b|^(?:in|over|for|since|of|on|during|the|last|past)\b")  # fmt: skip
_CREATIVE = re.compile(
    r"(?:(?:please|can you|could you) )*(?:write|compose|code|generate|translate|program|make up|invent)\b"
)
_WRITTEN = (Intent.POSTMORTEM, Intent.REPORT, Intent.DIAGRAM)
_IT = re.compile(r"\b(?:it|that|this|them|they)\b")
_STATE = re.compile(r"\b(?:status|state|update|news|how is|how are)\b")
_WIDE = re.compile(
    r"\b(?:anywhere|everywhere|(?:whole|entire|in the) cluster|cluster ?wide|all namespaces|overall|any namespace)\b"
)
_AGAIN = re.compile(r"\b(?:again|anew|afresh|once more|re-?run|re-?triage|refresh|fresh)\b")


@dataclass(frozen=True)
class _Heard:
    """One sentence, read."""

    sentence: str
    time: Spoken
    verb: Verb | None
    named: entities.Named
    sure: dict[Intent, float]
    asks: bool = True
    clause: str = ""

    @property
    def best(self) -> float:
        """How sure the surest is; what is only told gives way to what is asked."""
        return max(self.sure.values(), default=0.0) * (1 if self.asks else _TOLD)


def understand(text: str, now: datetime, context: Context | None = None) -> Meaning:
    """What the text means, said at `now` after what `context` tells; not sure is an answer."""
    context = context or Context()
    alert, rest = entities.alert_of(text[:_MOST_READ])
    names = context.namespaces | context.subjects
    said = sentences(rest, names)[-_MOST_SENTENCES:]
    whole = " ".join(one.text for one in said)
    read = [_heard(one, whole, now, context) for one in said]
    if not read:
        return Meaning(intent=Intent.TRIAGE, confidence=0.9, alert=alert) if alert else Meaning()
    chosen = max(read, key=lambda heard: heard.best)
    meaning = _meaning(chosen, alert, context)
    return _judged(_with_rest(_continued(meaning, read, chosen), read, chosen), text, context)


def _continued(meaning: Meaning, read: list[_Heard], chosen: _Heard) -> Meaning:
    """A crash that was told of is what "what made it go down?" asks about."""
    open_ended = meaning.intent in (Intent.CAUSE, Intent.FAILING) and not meaning.topic
    if not open_ended or chosen.named.subject or not _IT.search(chosen.sentence):
        return meaning
    crashed = any(one is not chosen and one.sure.get(Intent.RESTARTS, 0) >= SURE for one in read)
    return meaning.model_copy(update={"intent": Intent.RESTARTS}) if crashed else meaning


def _judged(meaning: Meaning, text: str, context: Context) -> Meaning:
    """The meaning, unless the text is none to act on; the topic as it was typed."""
    typed = re.search(re.escape(meaning.topic), text, re.IGNORECASE) if meaning.topic else None
    orders = entities.gives_orders(text)
    return meaning.model_copy(
        update={
            "topic": typed.group() if typed and meaning.intent is Intent.RUNBOOK else meaning.topic,
            "orders": orders,
            "elsewhere": entities.is_elsewhere(meaning.subject, context),
            "confidence": 0.0 if orders else meaning.confidence,
        }
    )


def _heard(said: Sentence, text: str, now: datetime, context: Context) -> _Heard:
    time = spoken(said.text, now)
    named = entities.named(time.rest, context)
    bare = tuple(filter(None, (spoken(clause, now).rest for clause in said.clauses)))
    found, clause = weighed(Sentence(bare, said.asks))
    asked = named if clause == " ".join(bare) else entities.named(clause, context)
    strange = asked.strange + (asked is not named and bool(asked.subject))
    left = price(
        Said(clause, text, bool(asked.subject or asked.namespace), asks(said)), strange, context
    )
    sure = {intent: value * left for intent, value in found.items()}
    if _CREATIVE.match(said.text):
        sure = {intent: value for intent, value in sure.items() if intent in _WRITTEN}
    verb = _wished(said)
    if verb:
        loss, weight = _weight_of(verb, said)
        whole = Said(said.text, text, bool(named.subject))
        sure = {intent: value - loss for intent, value in sure.items()}
        sure[Intent.CHANGE_REQUEST] = weight * price(whole, named.strange, context)
    return _Heard(said.text, time, verb, named, sure, asks(said) or verb is not None, clause)


def _weight_of(verb: Verb, said: Sentence) -> tuple[float, float]:
    """What a wish for a change takes from the other intents, and how sure it is itself."""
    if verb is not Verb.OTHER or not all(is_wide(one) for one in (said.text, *said.clauses)):
        return 0.4, 0.95
    # "Start a postmortem" and "update me" are no changes: a verb as wide as these weighs less.
    return 0.0, _WIDE_VERB[said.asks and len(said.clauses) > 1]


def _wished(said: Sentence) -> Verb | None:
    """The change that the sentence, or else one of its clauses, wants made."""
    if verb := verb_of(said.text):
        return verb
    later = ((verb_of(clause), clause) for clause in said.clauses[1:])
    plain = (verb for verb, one in later if verb and (verb is not Verb.OTHER or not is_wide(one)))
    return next(plain, None)


def _meaning(heard: _Heard, alert: str, context: Context) -> Meaning:
    ranked = sorted(heard.sure.items(), key=lambda row: -row[1])
    if alert and (not ranked or ranked[0][0] in (Intent.FAILING, Intent.TRIAGE)):
        meant = Intent.REPORT if _STATE.search(heard.sentence) else Intent.TRIAGE
        ranked = [(meant, 0.95), *[row for row in ranked if row[0] is not meant]]
    if (
        alert
        and ranked[0][0] is Intent.REPORT
        and ranked[0][1] < _PLAINLY
        and not _STATE.search(heard.sentence)
    ):
        # "What do we know about P123?" wants it looked at; "a summary of P123" what is known.
        ranked = [(Intent.TRIAGE, ranked[0][1]), *ranked]
    if (not ranked or ranked[0][1] < SURE) and (again := _follow_up(heard, context)):
        return _filled(heard, alert, [(again, 0.75)]).model_copy(update={"follows": True})
    return _filled(heard, alert, ranked)


def _follow_up(heard: _Heard, context: Context) -> Intent | None:
    """The intent of before, where only its particulars are said anew: "and in dispatch?"."""
    said = heard.time.window or heard.named.subject or heard.named.namespace
    short = len(heard.sentence.split()) <= 8  # noqa: PLR2004 - an ellipsis is short
    begins = _FOLLOWS.match(heard.sentence) or not heard.time.rest
    return context.intent if said and short and begins and heard.named.strange == 0 else None


def _filled(heard: _Heard, alert: str, ranked: list[tuple[Intent, float]]) -> Meaning:
    intent, confidence = ranked[0] if ranked else (None, 0.0)
    rivals = tuple(other for other, value in ranked[1:4] if confidence - value < _CLOSE)
    named, topic = heard.named, _topic(heard, intent)
    # "The runbook on disk pressure" speaks of a matter, "the runbook for checkout" of a thing.
    matter = intent is Intent.RUNBOOK and " " in topic and named.subject in topic.split()
    return Meaning(
        intent=intent,
        confidence=max(0.0, min(1.0, confidence)),
        rivals=rivals,
        subject="" if matter else named.subject,
        namespace=named.namespace,
        window=heard.time.window,
        now=heard.time.now,
        wide=bool(_WIDE.search(heard.sentence)),
        alert=alert,
        topic=topic,
        verb=heard.verb if intent is Intent.CHANGE_REQUEST else None,
        replicas=replicas_of(heard.sentence) if heard.verb is Verb.SCALE else None,
        secret=entities.wants_secret(heard.sentence),
        again=bool(_AGAIN.search(heard.sentence)),
    )


def _topic(heard: _Heard, intent: Intent | None) -> str:
    if intent is Intent.RUNBOOK and (found := _about_runbook(heard)):
        said = found["topic"].strip()
        return "" if _NO_TOPIC.match(said) else said
    return entities.topic_of(heard.time.rest)


def _about_runbook(heard: _Heard) -> re.Match[str] | None:
    """What the runbook is to be about; said where it is asked for, or else anywhere."""
    return _ABOUT_RUNBOOK.search(heard.clause) or _ABOUT_RUNBOOK.search(heard.time.rest)


def _with_rest(meaning: Meaning, read: list[_Heard], chosen: _Heard) -> Meaning:
    """Particulars that stand in another sentence than the question: "checkout again. Logs?"."""
    found: dict[str, object] = {}
    for other in read:
        strange = other.named.strange > _FREE_STRANGERS and "-" not in other.named.subject
        if other is chosen or strange:
            continue
        for key in ("subject", "namespace"):
            if not getattr(meaning, key) and getattr(other.named, key):
                found.setdefault(key, getattr(other.named, key))
        if meaning.window is None and other.time.window:
            found.setdefault("window", other.time.window)
    secret = any(entities.wants_secret(other.sentence) for other in read)
    return meaning.model_copy(update={**found, "secret": meaning.secret or secret})
