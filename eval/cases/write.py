"""Writes a case as a world folder : same case, same bytes, never the answer."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from eval.cases.case import Case
from eval.cases.kubernetes_objects import draw
from eval.cases.logs import previous_logs, written_logs
from eval.cases.metrics import open_metrics
from eval.cases.pagerduty import account, incident_id
from eval.cases.system import System, stamp
from eval.cases.traffic import Flow, flow

Lines = list[tuple[datetime, str]]


def write_world(case: Case, folder: Path) -> Path:
    """Builds a case's world in `folder/NAME`, replacing what stood there; returns that path."""
    system = case.build()
    world = folder / case.name
    if world.exists():
        shutil.rmtree(world)
    world.mkdir(parents=True)
    _write_json(world / "world.json", _about(case, system))
    known = flow(system)
    if system.has_kubernetes:
        _write_json(world / "kubernetes" / "objects.json", draw(system))
        _write_logs(world / "kubernetes" / "logs", system, known)
    _write_json(world / "pagerduty" / "incidents.json", account(system))
    if system.has_prometheus:
        _write(world / "prometheus" / "metrics.om", open_metrics(system, known))
    for name, text in system.runbooks.items():
        _write(world / "runbooks" / name, text)
    return world


def _about(case: Case, system: System) -> dict[str, Any]:
    if system.page is None:
        raise ValueError(f"nobody was paged in world {case.name}: give its system a page")
    about = {
        "id": case.name,
        "as_of": stamp(system.as_of),
        "cluster": system.cluster,
        "namespace": system.namespace,
        "alert_id": incident_id(system, system.page),
        "told": case.told,
        "denied": system.denied,
        "down": system.down,
    }
    return {key: value for key, value in about.items() if value != []}


def _write_logs(folder: Path, system: System, known: Flow) -> None:
    for (namespace, pod, container), lines in written_logs(system, known).items():
        _write(folder / namespace / pod / f"{container}.log", _text(lines))
    for (namespace, pod, container), lines in previous_logs(system, known).items():
        _write(folder / namespace / pod / f"{container}.previous.log", _text(lines))


def _text(lines: Lines) -> str:
    return "".join(f"{stamp(at)} {text}\n" for at, text in sorted(lines, key=lambda row: row[0]))


def _write_json(path: Path, value: Any) -> None:
    _write(path, json.dumps(value, indent=1) + "\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
