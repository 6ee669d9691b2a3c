"""Words of AsciiDoc with their marks, links and attributes, in Markdown. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

CODE = re.compile(
    r"(?<![\w`])(?:`\+(?P<plain>[^`\n]+?)\+`|``(?P<double>[^`\n]+)``|`(?P<code>[^`\n]+)`)(?![\w`])|(?<![\w+])\+(?P<literal>[^+\s](?:[^+\n]{0,300}[^+\s])?)\+(?![\w+])"
)
REFERENCE = re.compile(r"\{(?P<name>[\w-]{1,60})\}")
BOLD = re.compile(r"(?<![\w*])\*(?P<words>[^*\s](?:[^*\n]{0,500}[^*\s])?)\*(?![\w*])")
LINK = re.compile(
    r"(?:link:)?(?P<target>(?:https?|ftp|mailto):[^\s\[\]<>]{1,500})\[(?P<words>[^\]\n]{0,300})\]"
)
PATH_LINK = re.compile(r"\b(?:link|xref):(?P<target>[^\s\[\]]{1,500})\[(?P<words>[^\]\n]{0,300})\]")
CROSS = re.compile(r"<<(?P<target>[^,<>\n]{1,200})(?:,(?P<words>[^<>\n]{0,200}))?>>")
IMAGE = re.compile(
    r"image::?(?P<target>[^\s\[\]]{1,300})\[(?P<words>[^\],\n]{0,300})[^\]\n]{0,300}\]"
)
MACRO = re.compile(
    r"\b(?:kbd|btn|menu|pass|footnote|stem|icon):[\w]{0,40}\[(?P<words>[^\]\n]{0,300})\]"
)
ANCHOR = re.compile(
    r"\[\[[^\]\n]{0,100}\]\]|\[#[^\]\n]{0,100}\](?=[#*_`])|indexterm:\[[^\]\n]{0,200}\]|\(\(\([^()\n]{0,200}\)\)\)"
)
ROLE = re.compile(r"\[\.[\w.-]{1,60}\]#(?P<words>[^#\n]{1,300})#")
MAX_LINE = 20_000
"""What an attribute may make of a line."""


def inline(words: str, attributes: Mapping[str, str]) -> str:
    """A line of AsciiDoc in Markdown; what stands in backticks is left as it is."""
    words = _with_attributes(words, attributes)
    parts: list[str] = []
    at = 0
    for match in CODE.finditer(words):
        parts += [_marked(words[at : match.start()]), f"`{next(filter(None, match.groups()))}`"]
        at = match.end()
    return "".join([*parts, _marked(words[at:])]).removesuffix(" +")


def attribute_list(line: str) -> list[str]:
    """`[source%linenums,bash]` -> source, bash; `[%header,cols="1,2"]` -> %header, cols="1,2"."""
    inner = line[1:-1]
    parts = re.findall(r"[^,\"]*(?:\"[^\"]*\")?[^,\"]*", inner)
    found = [part.strip() for part in parts if part.strip()]
    first = found[0].split("%")[0].split("#")[0].split(".")[0] if found else ""
    if inner.startswith(",") and found:
        return ["source", *found]
    return [first or found[0], *found[1:]] if found else []


def _with_attributes(words: str, attributes: Mapping[str, str]) -> str:
    """References to attributes by their values, once; unknown ones (`{pod}`) stay."""

    def value(match: re.Match[str]) -> str:
        return attributes.get(match["name"].lower()) or match.group()

    changed = REFERENCE.sub(value, words) if "{" in words else words
    return changed if len(changed) <= max(MAX_LINE, len(words)) else words


def _marked(words: str) -> str:
    words = ANCHOR.sub("", words)
    words = IMAGE.sub(lambda m: f"![{m['words']}]({m['target']})", words)
    words = LINK.sub(lambda m: f"[{_label(m)}]({m['target']})", words)
    words = PATH_LINK.sub(lambda m: f"[{_label(m)}]({m['target']})", words)
    words = CROSS.sub(_label, words)
    words = MACRO.sub(lambda m: m["words"], words)
    words = ROLE.sub(lambda m: m["words"], words)
    return BOLD.sub(lambda m: f"**{m['words']}**", words)


def _label(match: re.Match[str]) -> str:
    """A link's words (`text^`, `text,window=_blank`), or else what it points to."""
    words = (match["words"] or "").split(",window=")[0].split(",role=")[0].strip().rstrip("^")
    return words.strip('"') or match["target"]
