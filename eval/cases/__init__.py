"""Our own worlds: `CASES` by name, and `write_world` to make one into a folder."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from eval.cases.case import Case, Expected, Rival
from eval.cases.worlds import amber, birch, cedar, dune, ember, fjord
from eval.cases.write import write_world

CASES: Mapping[str, Case] = MappingProxyType(
    {world.CASE.name: world.CASE for world in (amber, birch, cedar, dune, ember, fjord)}
)
"""Every case, by its name."""

__all__ = ["CASES", "Case", "Expected", "Rival", "write_world"]
