"""Reads kubectl (and oc) lines, as far as they can be read. Nothing is ever run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from assistant.triage.steps.kinds import kind_of

PROGRAMS = frozenset({"kubectl", "oc", "k"})
_WRAPPERS = frozenset({"sudo", "watch", "time", "then", "do", "if", "!"})
_SLOT = re.compile(r"<([A-Za-z][^<>|;&]{0,60})>|\{\{([^{}]{0,60})\}\}")
_ASSIGNMENT = re.compile(r"^\w+=")
NODE_VERBS = frozenset({"cordon", "uncordon", "drain"})
POD_VERBS = frozenset({"logs", "exec", "attach", "port-forward", "rsh", "cp", "evict"})
LISTING = frozenset({"get", "describe", "top"})
MAKES_NEW = frozenset(
    {"create", "apply", "run", "expose", "autoscale", "replace", "kustomize", "new-project"}
)
CHANGES = frozenset({"delete", "scale", "drain", "cordon", "uncordon", "edit", "patch", "label", "annotate", "taint",
                     "exec", "rsh", "cp", "debug", "evict", "attach", "rollout restart", "rollout undo", "rollout pause",
                     "rollout resume"}) | MAKES_NEW  # fmt: skip
"""Verbs that change something, or may. `set …` does too."""
_VALUES = frozenset({"-n", "--namespace", "-l", "--selector", "-o", "--output", "-c", "--container",
                     "--tail", "--since", "--since-time", "--context", "--filename", "--patch", "--replicas",
                     "--current-replicas", "--to-revision", "--revision", "--timeout", "--type", "--field-selector",
                     "--sort-by", "--limits", "--requests", "--grace-period", "--kubeconfig", "--as", "--image", "--for",
                     "--template", "--from-literal", "--from-file", "--cluster", "--user", "--pod-selector"})  # fmt: skip
_MEANINGS = {"-f": "--filename", "-p": "--patch"}
"""Flags that take a value, but not after these verbs, where they mean `--follow` and `--previous`."""
_LOG_VERBS = frozenset({"logs", "attach"})


@dataclass(frozen=True)
class Command:
    """A kubectl line: what it does to which objects, or to all of a kind.

    `rest` are the words after the objects, `inner` those after `--`.
    """

    verb: str
    namespace: str = ""
    kind: str = ""
    names: tuple[tuple[str, str], ...] = ()
    """(kind, name)"""
    flags: Mapping[str, str] = field(default_factory=dict)
    rest: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether it changes something, or may."""
        return self.verb in CHANGES or self.verb.startswith("set ")

    @property
    def selector(self) -> str:
        """The labels it selects by."""
        return self.flags.get("-l") or self.flags.get("--selector") or ""

    @property
    def container(self) -> str:
        """The container it speaks of."""
        return self.flags.get("-c") or self.flags.get("--container") or ""

    @property
    def everywhere(self) -> bool:
        """Whether it looks at all namespaces."""
        return "-A" in self.flags or "--all-namespaces" in self.flags


def parse(line: str) -> list[Command]:
    """The kubectl commands of a shell line; none where it cannot be read."""
    found = (_command(words) for words in simple_commands(line))
    return [command for command in found if command]


def simple_commands(line: str) -> list[list[str]]:
    """The commands of a shell line, parted at its operators. A slot becomes one word, `{name}`."""
    commands: list[list[str]] = [[]]
    for word in _words(_SLOT.sub(_masked, line)):
        if set(word) <= set("|&;()<>"):
            commands.append([])
        else:
            commands[-1].append(word)
    return [command for command in commands if command]


def _words(line: str) -> list[str]:
    """The words and operators; of a line whose quotation goes on below, those before it."""
    for text in (line, line[: max(line.rfind("'"), line.rfind('"'), 0)]):
        lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        try:
            return list(lexer)
        except ValueError:
            continue
    return []


def _masked(match: re.Match[str]) -> str:
    inside = (match[1] or match[2]).strip()
    return "{" + re.sub(r"\s+", "_", inside) + "}"


def _command(words: Sequence[str]) -> Command | None:
    start = next((place for place, word in enumerate(words) if word in PROGRAMS), -1)
    before = words[:start]
    wrapped = all(
        word in _WRAPPERS or _ASSIGNMENT.match(word) or word.startswith("-") for word in before
    )
    if start < 0 or not (wrapped or before[-1] == "--"):
        return None
    outer, inner = _parted(words[start + 1 :])
    flags, plain = _flags(outer)
    if plain[:1] == ["adm"]:
        plain = plain[1:]
    if not plain:
        return None
    verb, rest = plain[0], plain[1:]
    if verb in ("rollout", "set") and rest:
        verb, rest = f"{verb} {rest[0]}", rest[1:]
    namespace = flags.get("-n") or flags.get("--namespace") or ""
    kind, names, left = _objects(verb, rest)
    return Command(verb, namespace, kind, names, flags, left, inner)


def _parted(words: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """What is kubectl's own, and what comes after `--`."""
    if "--" not in words:
        return list(words), ()
    place = words.index("--")
    return list(words[:place]), tuple(words[place + 1 :])


def _flags(words: list[str]) -> tuple[dict[str, str], list[str]]:
    flags: dict[str, str] = {}
    plain: list[str] = []
    rest = iter(words)
    for word in rest:
        key, sign, value = word.partition("=")
        if not word.startswith("-") or word == "-":
            plain.append(word)
        elif sign:
            flags[key] = value
        else:
            flags[word] = next(rest, "") if _takes_value(word, plain) else ""
    return flags, plain


def _takes_value(flag: str, plain: Sequence[str]) -> bool:
    if flag in _MEANINGS:
        return not _LOG_VERBS.intersection(plain[:1])
    return flag in _VALUES


_Objects = tuple[str, tuple[tuple[str, str], ...], tuple[str, ...]]


def _objects(verb: str, rest: Sequence[str]) -> _Objects:
    """The kind, the objects named, and the words after them."""
    if verb == "create":
        return _created(rest)
    slashed = [word for word in rest if _is_slashed(word)]
    if slashed and _is_slashed(rest[0]):
        names = tuple(
            (kind_of(kind), name) for kind, _, name in (word.partition("/") for word in slashed)
        )
        return names[0][0], names, tuple(word for word in rest if word not in slashed)
    if not rest:
        return "", (), ()
    if verb in NODE_VERBS:
        return "Node", (("Node", rest[0]),), tuple(rest[1:])
    if verb in POD_VERBS:
        return "Pod", (("Pod", rest[0].partition(":")[0]),), tuple(rest[1:])
    kind, after = kind_of(rest[0]), rest[1:]
    single = verb in ("label", "annotate", "taint", "patch", "expose") or verb.startswith("set ")
    named = after[:1] if single else after
    return kind, tuple((kind, name) for name in named), tuple(after[len(named) :])


def _is_slashed(word: str) -> bool:
    """`deploy/web`, and no path or label: `app.kubernetes.io/name=x`."""
    kind, slash, name = word.partition("/")
    return bool(slash and kind and name) and "=" not in word and ":" not in word and kind != "."


def _created(rest: Sequence[str]) -> _Objects:
    """`create secret generic NAME`, `create configmap NAME`."""
    kind = kind_of(rest[0]) if rest else ""
    names = rest[2:3] if kind == "Secret" else rest[1:2]
    return kind, tuple((kind, name) for name in names), ()


def everything(commands: Sequence[Command]) -> Iterator[tuple[str, str]]:
    """(kind, namespace) of all that these commands speak of."""
    for command in commands:
        for kind in {command.kind, *(kind for kind, _ in command.names)} - {""}:
            yield kind, command.namespace
