"""A pasted command line -> the words for what it asks. Pure; no command is ever run."""

from __future__ import annotations

import re

_KUBECTL = r"(?:^|(?<=[\s$`>]))(?:kubectl|kubecolor|oc|kc|k)\s+"
_TOOL = re.compile(
    _KUBECTL + r"(?:-\S+\s+(?:\S+\s+)?)?(?:get|logs?|top|describe|events?|rollout|scale|delete|drain|cordon|uncordon"
    r"|exec|edit|apply|patch|set|taint|label|annotate|autoscale|replace|cp|run|create|expose)\b"
    r"|(?:^|(?<=[\s$`>]))(?:helm\s+(?:list|ls|status|history|rollback|upgrade|install|uninstall)|stern|kubetail|docker\s+logs|journalctl)\b"
)  # fmt: skip
_SECRET = re.compile(r"\bsecrets?\b|\bbase64\b")
_KINDS = r"(?:po|pods?|deploy|deployments?|deployments?\.apps|nodes?|no|all|sts|statefulsets?|ds|daemonsets?|rs|replicasets?|jobs?|cj|cronjobs?|svc|services?|ep|endpoints|ing|ingress(?:es)?|hpa|pvc?|ns|namespaces?)"
_PLAIN: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"\s\|.*$|\s[12&]?>.*$", " "),
        (r"(?<=\s)(?:-n|--namespace)[= ]*(?=[a-z0-9])", " namespace "),
        (r"(?<=\s)(?:-a|--all-namespaces)(?=\s|$)", " in all namespaces "),
        (r"(?<=\s)--since[= ](\S+)", r" in the last \1 "),
        (r"(?<=\s)--replicas[= ](\d+)", r" to \1 replicas "),
        (r"(?<=\s)(?:-l|--selector)[= ]\s*(?:[\w./-]+=)?(\S+)", r" \1 "),
        (r"(?<=\s)(?:-c|--container|-o|--output|--tail|--sort-by|--field-selector|--context|--grace-period)[= ]\s*\S+", " "),
        (r"(?<=\s)--?[a-z][\w-]*(?:=\S+)?", " "),
        (rf"{_KUBECTL}((?:namespace \S+|in all namespaces)\s+)(.*)$", r"kubectl \2 \1"),
        (rf"{_KUBECTL}(?=[a-z])", "kubectl "),
        (r"\bkubectl +((?:get|logs?|top|describe|rollout|scale|delete|drain|cordon)\b.*?) +namespace +(\S+)(.*)$", r"kubectl \1\3 namespace \2"),
        (r"\b(?:kubectl|docker)\s+logs?\b|\b(?:stern|kubetail|journalctl)\b", "logs of"),
        (r"\bkubectl\s+(?:get\s+)?(?:events?|ev)\b", "events"),
        (r"\bkubectl\s+top\s+(?:pods?|po|nodes?|no)?", "cpu and memory usage of "),
        (r"\bkubectl\s+describe\b", "events of"),
        (r"\b(?:kubectl\s+rollout|helm)\s+history\b", "rollout history of"),
        (r"\b(?:kubectl\s+rollout\s+status|helm\s+(?:list|ls|status))\b", "health of"),
        (r"\b(?:kubectl\s+rollout\s+undo|helm\s+rollback)\b", "roll back"),
        (r"\bkubectl\s+rollout\s+restart\b", "restart"),
        (r"\bkubectl\s+rollout\s+(?:pause|resume)\b", "pause"),
        (rf"\bkubectl\s+get\s+{_KINDS}(?=[\s/]|$)", "what is failing of the pods"),
        (r"\bkubectl\s+get\b", "health of"),
        (r"\bkubectl\s+(?=(?:scale|delete|drain|cordon|uncordon|edit|apply|patch|set|run|create|label|annotate|taint)\b)", ""),
        (r"\bhelm\s+(?=(?:upgrade|install|uninstall)\b)", ""),
        (r"\s--(?=\s|$)", " "),
    )
)  # fmt: skip


def spelled_out(line: str) -> str:
    """The line in words where it is a command of kubectl, helm or their like; else as it is."""
    if not _TOOL.search(line) or _SECRET.search(line):
        return line
    for pattern, words in _PLAIN:
        line = pattern.sub(words, line)
    return line
