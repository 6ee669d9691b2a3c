"""Which intents the clauses of one sentence speak for, and how surely. Pure."""

from __future__ import annotations

import re

from assistant.chat.understanding.entities import topic_of
from assistant.chat.understanding.intents import scores
from assistant.chat.understanding.meaning import Intent
from assistant.chat.understanding.plain import Sentence, is_elliptic

_SET_APART = 0.2
_ENOUGH = 0.6
_SHORT = 3
_PLAIN = 0.85

_ASKS = re.compile(
    r"^(?:(?:so|and|but|then|now|ok|okay|hey|hi|hello|please|just|also|or|well|anyway|wait|hm+|again|sorry|question|quick question|mate|bot|only|because|yes|no)\s+)*"
    r"(?:what|which|who|whom|whose|why|how|when|where|from where|from what|for (?:what|which)|due to|because of (?:what|which)|on (?:what|which)|based on|in which"
    r"|is|are|was|were|do|does|did|has|have|had|can|could|would|should|shall|will|may|might|any|anyone|anything|anybody|something weird|everything"
    r"|show|give|list|get|tell|draw|plot|graph|tail|grep|check|find|fetch|pull|look|take|make|create|generate|prepare|write|draft|start|send|share|sketch|diagram|explain|describe|summari[sz]e|recap|triage|investigate|dig|diagnose|analy[sz]e|debug|display|print|paste|let me|help|put|compare|brief|catch|fill|update|visuali[sz]e|prove|convince|justify"
    r"|(?:i|we|boss|manager|customer|they) (?:need|want|wants|needs|would like|like|am needing|am wanting|must|have to|wish|am looking for|look for)|need|want|looking for|wondering|(?:i )?wonder|(?:i )?(?:do not|dont) know|(?:i )?can not (?:find|figure|tell|see))\b"
)
_GREETING = re.compile(
    r"^(?:(?:hi|hello|hey|yo|dear|team|all|everyone|everybody|guys|folks|there|bot|assistant|please|(?:ok|okay)(?! (?:to|for|if)\b)|well|um|uh|ah|oh|sorry|excuse me|quick question|mate|man|bro|buddy|sir|madam|friends|morning|evening)(?:\s+|$))+"
)
_GOODBYE = re.compile(
    r"(?:\s+(?:please|thanks|thank you|thx|ty|cheers|mate|man|bro|buddy|guys|folks|sir|asap|quick|quickly|bot|for me|if you can|if possible|in advance|a lot))+$"
)
_WANTED_THING = r"(?:the |any |its |their |more |another |a |an |some |just |only |full |raw |pod |cluster |these |those |all )*(?:logs?|events?|metrics?|graphs?|charts?|dashboards?|diagrams?|pictures?|reports?|summary|triage|postmortem|runbook|playbook|docs|timeline|changes|deploys|rollouts?|restarts|alerts?|numbers|root cause|cause|on call)"
_UNWANTED = re.compile(
    rf"\b(?:(?:i |we )?(?:do not|dont|did not|never) (?:want|need|mean|care about|ask for|care for|like)|(?:i |we )?(?:do not|dont|never) (?:show|give|send) me|not interested in|without|forget(?: about)?|never ?mind|instead of|rather than|skip|leave out|apart from|except|besides|no more|no|not) {_WANTED_THING}(?: (?:please|of \S+|for \S+))?(?=\s|$)"
)
_IS_NOT = re.compile(
    r"\b(?:is|was|are|were|it|that|this|definitely|surely|probably|sure) (?:\w+ )?not\b"
)


def weighed(sentence: Sentence) -> tuple[dict[Intent, float], str]:
    """How sure each intent is, and the part of the sentence that asks for the surest."""
    left = tuple(filter(None, (_wanted(_bare(clause)) for clause in sentence.clauses)))
    wanted = Sentence(left or sentence.clauses, sentence.asks)
    found = scores(" , ".join(wanted.clauses))
    asking = [one for one in wanted.clauses if _asks(one) and not is_elliptic(one)]
    if len(wanted.clauses) == 1 or not asking:
        return found, sentence.text
    asked: dict[Intent, float] = {}
    for clause in asking:
        for intent, value in scores(clause).items():
            asked[intent] = max(asked.get(intent, 0), value)
    surest = max(asked.values(), default=0)
    if surest < _ENOUGH:
        return found, sentence.text
    if _asks_of_a_crash(found, asked, " ".join(asking)):
        return found, sentence.text
    return _set_apart(found, asked, surest), " ".join(asking)


def _asks(clause: str) -> bool:
    """Whether a clause asks or bids, or is a mere "logs please" that does."""
    if _ASKS.match(clause):
        return True
    short = len(clause.split()) <= _SHORT
    return short and max(scores(clause).values(), default=0) >= _PLAIN


def asks(sentence: Sentence) -> bool:
    """Whether a sentence asks or bids, where others of the same text only tell."""
    return sentence.asks or any(_ASKS.match(clause) for clause in sentence.clauses)


def _asks_of_a_crash(found: dict[Intent, float], asked: dict[Intent, float], asking: str) -> bool:
    """Whether the question has no matter of its own: "it crashed twice, can you tell the reason?"."""
    likeliest = max(asked, key=lambda intent: asked[intent])
    open_ended = likeliest in (Intent.CAUSE, Intent.WHY) and not topic_of(asking)
    return open_ended and found.get(Intent.RESTARTS, 0) >= _ENOUGH


def _set_apart(
    found: dict[Intent, float], asked: dict[Intent, float], surest: float
) -> dict[Intent, float]:
    """What is only told, and not asked, weighs less than what is asked."""
    told = {
        intent: min(value, surest - _SET_APART)
        for intent, value in found.items()
        if intent not in asked
    }
    return {**told, **asked}


def _bare(clause: str) -> str:
    """The clause without greeting and thanks: they change nothing of what is asked."""
    left = _GOODBYE.sub("", _GREETING.sub("", clause))
    return left or clause


def _wanted(clause: str) -> str:
    """The clause without what it says is not wanted: "not the logs, the events"."""
    if _IS_NOT.search(clause):
        return clause
    return " ".join(_UNWANTED.sub(" ", clause).split())
