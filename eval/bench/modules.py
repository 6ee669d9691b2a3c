"""Runs the command line and writes down which modules of other people it has loaded, in their order.

Run as `python -m eval.bench.modules FILE triage …`; the bare import is measured with its answer.
"""

from __future__ import annotations

import json
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

OURS = frozenset({"assistant", "mcp_servers", "ingest", "eval"})
IMPORT_ALL = """
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
for name in json.load(open(sys.argv[1])):
    importlib.import_module(name)
"""
"""The bare import: the very modules that a triage has loaded at its end, and nothing else."""


def loaded() -> list[str]:
    """Every loaded module of a library, by its full name, in the order of loading."""
    return [name for name, module in list(sys.modules.items()) if _is_library(name, module)]


def _is_library(name: str, module: object) -> bool:
    """Whether a module comes from a file of a package that is neither ours nor Python's."""
    top, spec = name.partition(".")[0], getattr(module, "__spec__", None)
    if top in OURS or top in sys.stdlib_module_names or not isinstance(spec, ModuleSpec):
        return False
    return spec.name == name and bool(spec.has_location) and "-" not in name


def main(file: str, arguments: list[str]) -> None:
    """Run the command line, then write the list; the exit code is the command's."""
    from assistant.cli import main as command_line  # noqa: PLC0415 - it is what is watched

    sys.argv = ["assistant", *arguments]
    try:
        command_line()
    finally:
        Path(file).write_text(json.dumps(loaded()), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
