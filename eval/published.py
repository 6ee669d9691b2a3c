"""What others published on the same benchmarks, from `published.toml`, beside a run's own figures. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from assistant.incident import Frozen


class Benchmark(Frozen):
    """The published figures on one benchmark: for each name, by cell, one number a column."""

    name: str
    columns: tuple[str, ...]
    source: str
    figures: Mapping[str, Mapping[str, tuple[float, ...]]]

    @property
    def cells(self) -> tuple[str, ...]:
        """The systems, or systems and classes, that somebody published a figure for."""
        return tuple(dict.fromkeys(cell for row in self.figures.values() for cell in row))


@cache
def benchmarks() -> Sequence[Benchmark]:
    """All that is known, read once from the packaged table."""
    text = resources.files("eval").joinpath("published.toml").read_text(encoding="utf-8")
    return [Benchmark.model_validate(row) for row in tomllib.loads(text)["set"]]


def beside(shares: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """For each benchmark that the rows of `shares` belong to, its figures with the run's own first."""
    ours = {row["cell"]: row for row in shares}
    for one in benchmarks():
        if met := [cell for cell in one.cells if cell in ours]:
            own = {cell: [ours[cell][column]["share"] for column in one.columns] for cell in met}
            yield {
                "benchmark": one.name,
                "columns": list(one.columns),
                "cells": met,
                "source": one.source.strip(),
                "figures": {"this run": own}
                | {
                    who: {cell: list(row[cell]) for cell in met} for who, row in one.figures.items()
                },
            }
