"""Markdown: shown as it is written; its front matter (YAML or TOML) is read. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from ingest.formats.encoding import decoded
from ingest.formats.page import Page, Unreadable

YAML_BLOCK = re.compile(
    r"\A---[ \t]*\n(?P<header>.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE
)
TOML_BLOCK = re.compile(
    r"\A\+\+\+[ \t]*\n(?P<header>.*?)^\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE
)
MAX_HEADER = 64_000
MAX_ALIASES = 20


def read(raw: bytes, charset: str = "") -> Page:
    """The page; its body has the front matter blanked, so that line numbers stay true."""
    return with_front_matter(decoded(raw, charset))


def with_front_matter(text: str) -> Page:
    """The page of a decoded text. Raises `Unreadable` for front matter that cannot be read."""
    for pattern, load in ((YAML_BLOCK, _yaml), (TOML_BLOCK, tomllib.loads)):
        match = pattern.match(text)
        if match is not None:
            body = "\n" * match.group().count("\n") + text[match.end() :]
            return Page(text, body, _fields(match["header"], load))
    return Page(text, text)


def _fields(header: str, load: Callable[[str], Any]) -> Mapping[Any, Any]:
    if len(header) > MAX_HEADER:
        raise Unreadable(f"bad front matter: more than {MAX_HEADER} characters of it")
    try:
        found = load(header)
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        words = " ".join(str(error).split())[:300]
        raise Unreadable(f"bad front matter: {words}") from error
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise Unreadable("bad front matter: it is not a list of `key: value`")
    return found


class _Loader(yaml.SafeLoader):
    """A few aliases and no more: merged into each other, they grow without end."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._aliases = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            self._aliases += 1
            if self._aliases > MAX_ALIASES:
                raise yaml.YAMLError(f"more than {MAX_ALIASES} aliases")
        return super().compose_node(parent, index)


def _yaml(text: str) -> Any:
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader, and stricter
