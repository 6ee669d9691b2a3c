"""Who and what a sentence names: alert, namespace, subject, topic, action, replicas. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from assistant.chat.understanding.meaning import Context
from assistant.chat.understanding.vocabulary import ORDINARY

NAME = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
_KIND = (
    r"(?:deployments?|deploy|pods?|services?|svc|statefulsets?|sts|daemonsets?|ds|jobs?|cronjobs?|nodes?"
    r"|containers?|apps?|workloads?|replicasets?|components?)"
)
_ASPECT = (
    r"(?:logs?|events?|metrics?|restarts?|runbook|latency|rollouts?|releases?|errors?|traffic|memory|cpu|graphs?|alerts?"
    r"|deploys?|changes|dashboards?|team|incident|outage|p9[059]|rps)"
)
_ALERT_URL = re.compile(
    r"https?://[^\s<>|]{1,200}/(?:incidents|alerts)/([A-Za-z0-9]{3,40})[^\s<>]*"
)
_ALERT_BY_VALUE = re.compile(
    r"(?<![\w/.-])(alertmanager:\d{8}T\d{6}\.\d{1,6}Z:[\w.-]{1,128})(?![\w-])"
)
"""An alert that duty was told of and no system knows by an id."""
_ALERT_ID = re.compile(
    r"(?<![\w/.-])(?:[PQ](?=[A-Z0-9]*\d)[A-Z0-9]{3,20}|[PQ][A-Z]{6}(?:[A-Z]{7})?)(?![\w-])"
)
_ALERT_NUMBER = re.compile(
    r"(?:#|\b(?:incident|alert|page|ticket|triage)\s+(?:number\s+|no\.?\s+|nr\.?\s+|id\s+)?#?|\b(?:number|nr\.?|incident id|alert id)\s+#?(?=\d{3}))(\d{1,9})\b",
    re.IGNORECASE,
)
_ALERT_LOOSE = re.compile(
    r"\b(?:triage|incident|alert|investigate|page|for|at|into)\s+([pq](?=[a-z0-9]*\d)[a-z0-9]{2,20})(?![\w-])",
    re.IGNORECASE,
)
_ALERT_ALONE = re.compile(
    r"^\W*([pq](?=[a-z0-9]*\d)(?:[a-z0-9]{6}|[a-z0-9]{13}))\W*$", re.IGNORECASE
)
_ALERT_BARE_NUMBER = re.compile(
    r"\b(?:(?:status|summary|report|recap|rca|postmortem|post-mortem|overview|cause|review|runbook|timeline|diagram|impact) (?:of|for|about|on)|into|ack|acknowledge|resolve|close|triage|investigate|snooze|silence)\s+(\d{4,9})(?=\s*(?:$|[?!.,]|pls|please|now|it\b|its\b))",
    re.IGNORECASE,
)
_NAMESPACE = (
    re.compile(
        rf"(?:^|\s)(?:-n|--namespace|ns|namespace)[ =/:]+(?!(?:is|and|or|in|of|for)\b)(?P<name>{NAME})"
    ),
    re.compile(rf"\b(?P<name>{NAME}) (?:namespace|ns)\b"),
)
_PATH = re.compile(rf"(?<![\w/.-])(?P<namespace>{NAME})/(?P<name>{NAME})(?![\w/.-])")
_PLACE = re.compile(rf"\b(?:in|inside|within|across)\s+(?:the\s+|our\s+)?(?P<name>{NAME})(?=\s|$)")
_ABOUT = re.compile(
    rf"\b(?:of|for|from|on|with|about|to|at|behind|by)\s+(?:the\s+|our\s+)?(?P<name>{NAME})(?=\s|$)"
)
_OF_KIND = (
    re.compile(rf"\b{_KIND}[ /]+(?P<name>{NAME})(?=\s|$)"),
    re.compile(rf"(?<![\w-])(?P<name>{NAME}) (?:{_KIND}|{_ASPECT})(?=\s|$)"),
)
_ENVIRONMENT = re.compile(
    r"(?:prod|production|staging|stage|stg|dev|development|test|testing|qa|uat|preview|sandbox)(?:-[a-z0-9-]+)+"
)
_ROLE = re.compile(
    r".+-(?:api|svc|service|worker|web|server|db|proxy|gateway|cache|queue|job|ui|app|\d+)"
)
_TOWARDS = re.compile(rf"\b(?:to|on|into|at)\s+(?:the\s+)?(?P<name>{NAME})(?=\s|$)")
_QUANTITY = re.compile(r"[\d.]+[a-z]{0,3}")
_INFLECTED = re.compile(r"[a-z]{3,}(?:ing|ed|ly|ness|ous)")

TOPICS = {
    "latency": r"latenc\w+|slow\w*|response times?|p50|p90|p95|p99|timeouts?|timing out",
    "errors": r"errors?|erroring|error (?:rate|ratio)|5xx|4xx|50[0-9]s?|failures?|failed requests?",
    "cpu": r"cpu|throttl\w+",
    "memory": r"memory|ram|oom\w*|heap",
    "traffic": r"traffic|rps|qps|requests? (?:rate|per second)|throughput|load",
    "restarts": r"restarts?",
    "disk": r"disks?|volumes?|storage",
    "timeline": r"time ?line|chronolog\w+",
    "topology": r"topology|dependenc\w+|service map|call graph|who calls whom|upstream|downstream",
}
_TOPICS = {name: re.compile(rf"\b(?:{words})\b") for name, words in TOPICS.items()}

_ORDERS = re.compile(
    r"<\s*/?\s*(?:system|assistant|instructions?|admin|im_start)\b|\[/?inst\]|\b(?:ignore|disregard|forget|override|overwrite|bypass|break|lift|drop)\b.{0,30}\b(?:previous|prior|above|earlier|all|your|any)\b"
    r".{0,20}\b(?:instructions?|rules|prompts?|guidelines|messages|restrictions?|guardrails)\b|\byou are now\b|\b(?:admin|developer|god|debug) mode\b|\bsystem prompt\b|\bjailbreak\b"
    r"|\byou have no (?:rules|restrictions|limits)\b|\brepeat your (?:instructions|prompt)\b|\bdelete from\b|\binsert into\b|\bselect\s.{1,60}\sfrom\b|\bnew (?:instructions?|rules|orders)\s*:|\bfrom now on,? you\b|\bpretend (?:that )?(?:you|to be)\b|\byou must obey\b|\b(?:developer|system) (?:message|note)\b|\bhidden rules\b|\bact as (?:an? )?(?:\w+ )?(?:ai|assistant|pirate|admin|root)\b|\bno restrictions\b|\bapprovals? (?:is|are) (?:off|disabled)\b|\b(?:drop|truncate|alter) table\b|\b(?:ai|assistant|agent|bot)\s*[:,]\s*(?:please |now )?(?:scale|delete|restart|drain|run|execute|call)\b",
    re.IGNORECASE,
)
_COMPANIES = (
    "github gitlab slack cloudflare aws azure gcp google gmail facebook whatsapp twitter"
    " reddit netflix zoom openai chatgpt stripe twilio fastly datadog npm pypi dockerhub"
    " microsoft apple amazon youtube pagerduty"
)
ELSEWHERE = frozenset(_COMPANIES.split())
"""Services of other companies: whether they are up stands on their own pages."""
_SECRET = re.compile(
    r"\b(?:passwords?|passwd|credentials?|api[- ]?keys?|private keys?|access keys?|(?:auth|bearer|access|api) tokens?"
    r"|(?:show|print|give|read|get|reveal|dump|decode|what is|cat|echo|tell)\b.{0,40}\bsecrets?|secrets? (?:values?|contents?|data)|tokens? (?:for|of|to)\b(?! (?:expir|log))|kubeconfig|env vars?)\b"
)


_ALERTS = (
    _ALERT_URL, _ALERT_BY_VALUE, _ALERT_ID, _ALERT_NUMBER, _ALERT_LOOSE, _ALERT_ALONE, _ALERT_BARE_NUMBER
)  # fmt: skip


def alert_of(text: str) -> tuple[str, str]:
    """The alert that the text names, and the text without it; the text is as it was typed."""
    for pattern in _ALERTS:
        found = pattern.search(text)
        if found and not _is_word(found.group(), text):
            name = found.group(found.lastindex or 0)
            # The alert's place in the sentence is kept: "got paged for this, what is going on".
            rest = text[: found.start(found.lastindex or 0)] + " this " + text[found.end() :]
            return (
                name.upper() if pattern in (_ALERT_LOOSE, _ALERT_ALONE) else name
            ), rest.replace("#", " ")
    return "", text


def _is_word(name: str, text: str) -> bool:
    """Whether what looks like an id is a word that was shouted: "PENDING", "POSTMORTEM"."""
    return name.isalpha() and (name.lower() in ORDINARY or text.isupper())


def wants_secret(sentence: str) -> bool:
    """Whether the value of a secret is asked for."""
    return bool(_SECRET.search(sentence))


def gives_orders(text: str) -> bool:
    """Whether the text speaks to the assistant's rules instead of asking: a pasted injection."""
    return bool(_ORDERS.search(text))


def is_elsewhere(subject: str, context: Context) -> bool:
    """Whether the subject is another company's, and nothing of that name is known here."""
    return subject in ELSEWHERE and subject not in context.subjects | context.namespaces


def topic_of(sentence: str) -> str:
    """The symptom or signal that is named; the first one in the sentence."""
    found = {name: hit.start() for name, one in _TOPICS.items() if (hit := one.search(sentence))}
    return min(found, key=lambda name: found[name]) if found else ""


@dataclass(frozen=True)
class Named:
    """What a sentence names, and how many of its words nobody could place."""

    subject: str = ""
    namespace: str = ""
    strange: int = 0


def named(sentence: str, context: Context) -> Named:
    """The namespace and the subject, by where their words stand; known names before any others."""
    namespace = _first(_NAMESPACE, sentence)
    if path := next((p for p in _PATH.finditer(sentence) if _is_path(p)), None):
        first, second = path["namespace"], path["name"]
        return Named(second, namespace if re.fullmatch(_KIND, first) else first)
    left = [w for w in _strangers(sentence, context) if w != namespace]
    for word in left:
        if not namespace and word in context.namespaces and word not in context.subjects:
            namespace = word
    subject = _subject(sentence, [word for word in left if word != namespace], context)
    namespace = namespace or _place(sentence, left, subject, context)
    left = [word for word in left if word != namespace]
    subject = _subject(sentence, left, context)
    strange = sum(word != subject and not _INFLECTED.fullmatch(word) for word in left)
    return Named(subject, namespace, strange)


def _place(sentence: str, left: list[str], subject: str, context: Context) -> str:
    """The word that stands where a namespace does: "in X", an environment, "ship it to X"."""
    free = [word for word in left if word not in context.subjects]
    if environment := next((word for word in free if _ENVIRONMENT.fullmatch(word)), ""):
        return environment
    kinds = {found["name"] for pattern in _OF_KIND for found in pattern.finditer(sentence)}
    for found in _PLACE.finditer(sentence):
        if (
            found["name"] in free
            and found["name"] not in kinds
            and not _ROLE.fullmatch(found["name"])
        ):
            return found["name"]
    towards = (found["name"] for found in _TOWARDS.finditer(sentence))
    return next(
        (name for name in towards if name in free and name != subject and subject in left), ""
    )


def _is_path(found: re.Match[str]) -> bool:
    first, second = found["namespace"], found["name"]
    ordinary = {first, second} <= ORDINARY or second in ORDINARY
    return (not ordinary or bool(re.fullmatch(_KIND, first))) and not first.isdigit()


def _first(patterns: Iterable[re.Pattern[str]], sentence: str) -> str:
    for pattern in patterns:
        for found in pattern.finditer(sentence):
            if found["name"] not in ORDINARY:
                return found["name"]
    return ""


def _strangers(sentence: str, context: Context) -> list[str]:
    """The words that are no ordinary ones: names, or what nobody can place."""
    words = (word.strip("/:#%") for word in sentence.split())
    known = context.subjects | context.namespaces
    return list(dict.fromkeys(w for w in words if w and (w in known or _strange(w))))


def _strange(word: str) -> bool:
    plain = word not in ORDINARY and word.removesuffix("s") not in ORDINARY
    return plain and not _QUANTITY.fullmatch(word) and bool(re.fullmatch(NAME, word))


def _subject(sentence: str, left: list[str], context: Context) -> str:
    """The likeliest of the words that are left: known, then named as a kind, then by a preposition."""
    if known := [word for word in left if word in context.subjects]:
        return known[0]
    like_names = [word for word in left if "-" in word or any(c.isdigit() for c in word)]
    for candidates in (like_names, left):
        for pattern in (*_OF_KIND, _ABOUT):
            for found in pattern.finditer(sentence):
                if found["name"] in candidates:
                    return found["name"]
        if candidates:
            return min(candidates, key=lambda word: bool(_INFLECTED.fullmatch(word)))
    return ""
