"""Whether what a sentence speaks of is a thing of operations. Pure.

An intent's word may be said in another sense: "log cabin prices", "why did the Roman empire crash".
What is spoken of decides: names, and words that only operations has, speak for a question of ours;
words of daily life speak against it. Where they win, it is better to ask back: that reads nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.chat.understanding.everyday import NEUTRAL, PLACES, WORLD
from assistant.chat.understanding.meaning import Context
from assistant.chat.understanding.vocabulary import ORDINARY

_TECHNICAL = (
    "pod pods deployment deployments deploy deploys deployed statefulset daemonset replicaset replica replicas"
    " namespace namespaces ns kubernetes kubectl container containers cronjob configmap ingress node nodes cluster"
    " prod production staging preprod workload workloads service services svc svcs microservice microservices app"
    " apps api apis endpoint endpoints logs stacktrace stderr stdout latency p50 p90 p95 p99 cpu rps qps 5xx 4xx"
    " 500s 502s 503s 504s 429s 500 502 503 504 oom oomkilled throttling throughput metrics runbook playbook sop"
    " postmortem alert alerts incident incidents outage downtime triage rollout rollouts hotfix crashloop pager"
    " paged sre dashboard dashboards grafana prometheus kafka postgres postgresql mysql redis mongo mongodb"
    " elasticsearch rabbitmq nginx etcd kubelet coredns istio envoy vault consul database db dns tls cert certs"
    " certificate certificates server servers backend frontend timeouts exception exceptions error errors disk"
    " volume pvc failover replication upstream downstream topology mermaid rca hypothesis hypotheses config"
    " commits canary requests heap jvm gc eviction evictions unhealthy escalate escalation rota roster duty crashlooping"
)
_ANCHORS = frozenset(_TECHNICAL.split())
_PHRASES = re.compile(
    r"\bon call\b|\bcrash loop\b|\broot cause\b|\bruled out\b|\berror (?:rate|ratio)\b|\boom killed\b"
)
_ELSEWHERE = re.compile(
    r"\bnear (?:me|here|by)\b|\bin town\b|\bon tv\b|\bat home\b|\b(?:coffee|vending|washing|sewing|slot|time) machine\b|\bmeeting room\b|\bmy phone\b"
    r"|\bthe [amie]\d{1,3}\b|\b(?:this|my|some|the|following) (?:\w+ )?(?:code|function|essay|homework|sentence|program|query)\b|\b(?:weather|expense|book|credit|police|annual|school|bug) report\b"
    r"|\b(?:traffic|speed|red|green) (?:light|jam|ticket|cop)s?\b|\blog (?:my|cabin|fire|me|your|time|hours)\b|\bcrash (?:course|diet|test|on)\b|\bscale model\b|\bmemory (?:lane|foam|card)\b"
    r"|\bevents? (?:horizon|planner|planning|manager|tickets?|venue|near)\b|\bprime minister\b|\bhuman (?:body|heart|race|being)s?\b|\bgraph (?:theory|y|x|f)\b|\bpage \d+\b|\bsupport group\b|\bphone (?:number|nr|plan|bill)\b|\b(?:home|private|postal) (?:address|life|number|phone)\b|\bstar (?:wars|trek)\b|\bwho is (?:sick|ill|dead|well|fine|ok)\b|\bhow do(?:es)? (?!it\b|this\b|that\b|you\b)\S+(?: \S+)? work\b|\bexplain (?:me )?what an?\b|\bdifference between an?\b|\bin general\b|\bmade you\b|\btell me something\b|\bbored\b|\bseason \d+\b|\b(?:in|with|using|on) (?:git|python|java|javascript|golang|rust|bash|excel|vim|photoshop|my mac|windows)\b"
    r"|\b(?:vacation|holiday|leave|visa|job|loan|mortgage) (?:request|application|days|offer|status)\b|\bpython code\b|\bdown (?:payment|syndrome|jacket)\b|\b(?:release date|season) (?:of|for)\b"
)
_YEAR = re.compile(r"(?<![\w./:#-])(?:1[0-9]{3}|200\d|201\d)(?:s|ad|bc)?(?![\w./:%-])")
_MINE = re.compile(r"\b(?:my|his|her|their)\s+(?P<thing>[a-z]+)")
_COLLEAGUES = (
    "team shift laptop boss manager service services pod pods app apps deployment deploy release alert page queue"
    " colleague colleagues namespace cluster on pager incident change changes question replicas node nodes job jobs"
    " logs rollout workload way own end side screen dashboard"
)
_OWN = frozenset(_COLLEAGUES.split())
_TARGET = re.compile(
    r"\b(?:of|for|about|with)\s+(?:the\s+|an?\s+|my\s+)?(?P<thing>[a-z]+(?: [a-z]+)?)\b"
)
_ONE_OF = re.compile(
    r"\ban? (?P<thing>[a-z]+)(?= (?:of|in|on|for|with|at|to|from|by|have|has|do|does|is|and)\b|$)"
)
_NAME_LIKE = re.compile(
    r"(?=(?:[^a-z]*[a-z]){3})[a-z0-9.]*[a-z][a-z0-9.]*(?:[-/][a-z0-9.]+)+|[a-z]{2,}\d[a-z0-9]*"
)

_TELLS = re.compile(
    r"(?:the|my|our|there (?:is|was|were)|he|she|they|i (?:was|am|had|love|like|hate))\b"
)
_ASKS_BACK = 0.45
_LOST = 0.8
_LOST_UNANCHORED = 0.52


@dataclass(frozen=True)
class Said:
    """The clause that asks, all that was said around it, and whether the clause names anything and asks."""

    clause: str
    text: str
    named: bool
    asks: bool = True


def price(said: Said, strange: int, context: Context) -> float:
    """The share of certainty that is left to what a clause seems to ask."""
    clause, text = said.clause, said.text
    anchors, against = _anchors(clause, context), _against(clause, context)
    names = _names(text, context)
    if not anchors and not against and not said.named:
        against = max(0.0, _against(text, context) - _anchors(text, context))
    if against and against >= anchors + 2 * names:
        return _ASKS_BACK
    supported = anchors or names
    if not supported and not said.asks and _TELLS.match(clause):
        return _ASKS_BACK
    return float((_LOST if supported else _LOST_UNANCHORED) ** max(0, strange - 1))


def _names(text: str, context: Context) -> int:
    known = context.subjects | context.namespaces
    return sum(word in known or bool(_NAME_LIKE.fullmatch(word)) for word in set(text.split()))


def _anchors(text: str, context: Context) -> float:
    words = set(text.split())
    return len(words & _ANCHORS) + len(_PHRASES.findall(text)) + 2 * _names(text, context)


def _against(text: str, context: Context) -> float:
    """How much speaks of the world outside; in the place of the thing asked about, it weighs double."""
    known = context.subjects | context.namespaces
    words = set(text.split()) - known
    far = {word for word in words if _is_far(word)}
    aimed = any(set(found["thing"].split()) & far for found in _TARGET.finditer(text))
    return (
        len(far)
        + aimed
        + 0.5 * len(words & PLACES)
        + len(_YEAR.findall(text))
        + 2 * len(_ELSEWHERE.findall(text))
        + sum(_is_private(found["thing"], known) for found in _MINE.finditer(text))
        + sum(_is_any(found["thing"], known) for found in _ONE_OF.finditer(text))
    )


def _is_far(word: str) -> bool:
    return word in WORLD or (word.removesuffix("s") in WORLD and word not in ORDINARY)


def _is_private(thing: str, known: frozenset[str]) -> bool:
    """Whether "my ..." goes on with something that is nobody's workload: "my career"."""
    return thing not in _OWN | known | _ANCHORS and thing not in ORDINARY - NEUTRAL


def _is_any(thing: str, known: frozenset[str]) -> bool:
    """Whether "a ..." speaks of any one of a kind that is not ours; a workload has a name: "a mouse"."""
    return thing not in known and thing not in ORDINARY and thing not in _ANCHORS
