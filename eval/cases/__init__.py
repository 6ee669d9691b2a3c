"""Our own worlds: `CASES` by name, and `write_world` to make one into a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from eval.cases import worlds
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.write import write_world


def _cases() -> Iterator[Case]:
    """The cases of every file in `worlds`: a new world needs no other place to be named in."""
    for found in iter_modules(worlds.__path__, f"{worlds.__name__}."):
        module = import_module(found.name)
        yield from getattr(module, "CASES", ()) or (module.CASE,)


CASES: Mapping[str, Case] = MappingProxyType({case.name: case for case in _cases()})
"""Every case, by its name."""

DEMO = ("amber", "birch", "cedar", "dune", "ember", "fjord")
"""The worlds to show: the whole shop, a runbook for each alert, and rivals that must be named."""

__all__ = ["CASES", "DEMO", "Answer", "Case", "Expected", "Rival", "write_world"]
