"""Planted secrets: none comes out in evidence, report, audit, span, store, checkpoint or stderr."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from eval.lab.lab import Lab, serve
from eval.lab.world import LogName, World
from ingest.job import IngestSettings, ingest
from mcp_servers.kubernetes.log_lines import excerpt
from tests.robustness.canaries import Canaries
from tests.robustness.scene import Outcome, holds, kubeconfig, look
from tests.robustness.worlds import changed, of, paged, written

pytestmark = pytest.mark.anyio

CAUSE = "missing_key Secret dispatch/tariffs-db"
ORDINARY = (
    "tariffs-db",
    "couldn't find key password in Secret dispatch/tariffs-db",
    "(using password: YES)",
)
"""Names of Secrets and of their keys, and words that only sound like one: the cause lies in them."""
SPANS = InMemorySpanExporter()
Json = dict[str, Any]


@dataclass(frozen=True)
class Burgled:
    """A triage of a world full of secrets, and all that it said on the way."""

    canaries: Canaries
    outcome: Outcome
    spans: str
    stderr: str
    tokens: tuple[str, ...]


def _in_objects(canaries: Canaries, objects: list[Json]) -> None:
    def env(place: str) -> list[Json]:
        named = [
            {"name": name, "value": canaries.bare(f"{name} in {place}")}
            for name in ("DB_PASSWORD", "AWS_SECRET_ACCESS_KEY", "API_TOKEN", "CLIENT_SECRET")
        ]
        texts = canaries.every(f"env of {place}")
        return [*named, *({"name": f"SETTING_{n}", "value": t} for n, t in enumerate(texts))]

    for kind in ("Deployment", "ReplicaSet"):
        template = of(objects, kind, "tariffs")["spec"]["template"]["spec"]
        template["containers"][0].setdefault("env", []).extend(env(kind))
        template["containers"][0]["args"] = ["--password", canaries.bare(f"argument of {kind}")]
    pod = of(objects, "Pod", "tariffs")
    pod["spec"]["containers"][0].setdefault("env", []).extend(env("Pod"))
    applied = json.dumps({"data": {"token": canaries.bare("annotation")}})
    notes = {f"note-{n}": text for n, text in enumerate(canaries.every("annotation"))}
    pod["metadata"]["annotations"] = {"kubectl.kubernetes.io/last": applied, **notes}
    config = of(objects, "ConfigMap")
    config["data"] = {
        "app.conf": "\n".join(canaries.every("ConfigMap")),
        "db.password": canaries.bare("key"),
    }
    secret = of(objects, "Secret", "tariffs-db")
    secret["data"] = {key: canaries.bare("Secret") for key in secret["data"]}
    for event in [one for one in objects if one["kind"] == "Event"][:8]:
        event["message"] += " " + " ".join(canaries.every(f"event {event['reason']}"))


def _in_logs(canaries: Canaries, world: World) -> dict[LogName, bytes]:
    stamp = "2026-05-21T06:10:00Z ERROR (using password: YES) "
    told = {name for name in world.logs if name.pod.startswith(("quotes", "portal", "bookings"))}
    return {
        name: "".join(f"{stamp}{text}\n" for text in canaries.every(f"log {name}")).encode()
        for name in sorted(told)
    }


def _in_pagerduty(canaries: Canaries, incident: Json, pager: Json) -> None:
    incident["title"] += " " + canaries.one("title", "pair")
    incident["body"]["details"]["description"] = "\n".join(canaries.every("details"))
    for alert in pager["alerts"][incident["id"]]:
        alert["summary"] += " " + canaries.one("alert", "github")
        alert["body"]["details"] = {
            **incident["body"]["details"],
            "text": "\n".join(canaries.every("alert body")),
            "api_key": canaries.bare("alert body"),
        }
    pager["notes"][incident["id"]] = [
        {"id": f"N{n}", "content": text, "created_at": "2026-05-21T06:00:00Z", "user": None}
        for n, text in enumerate(canaries.every("note"))
    ]
    for change in pager["change_events"]:
        change["summary"] += " " + canaries.one("change", "url")
        change["custom_details"] = {
            "log": "\n".join(canaries.every("change")),
            "token": canaries.bare("change"),
        }
    for entry in pager["log_entries"].get(incident["id"], []):
        entry["summary"] += " " + canaries.one("log entry", "slack")


def _in_metrics(canaries: Canaries, world: World) -> bytes:
    assert isinstance(world.metrics, Path)
    now = world.as_of.timestamp()
    rows = [
        f'ALERTS{{alertname="Odd{n}",alertstate="firing",namespace="storefront",'
        f"said={json.dumps(text)}}} 1 {now - 60:.0f}"
        for n, text in enumerate(canaries.every("label"))
    ]
    text = world.metrics.read_text()
    head = "# TYPE ALERTS gauge\n"
    assert head in text
    return text.replace(head, head + "\n".join(rows) + "\n").encode()


def _runbook(canaries: Canaries) -> str:
    """A runbook whose query Prometheus will refuse, repeating it."""
    broken = canaries.one("query that is echoed", "url")
    lines = "\n".join(f"- {text}" for text in canaries.every("runbook"))
    return (
        "---\ntitle: Portal errors\nalerts: [PortalErrorRatioHigh]\nservices: [portal]\n"
        "runbook_url: https://runbooks.parcelworks.example/portal-errors\n---\n# Portal errors\n\n"
        f"## Check\n\n{lines}\n\n1. Ask.\n\n   ```promql\n   sum(rate(x[5m]) by (said) + {broken!r}\n   ```\n"
    )


def _planted(canaries: Canaries, world: World) -> World:
    full = changed(world, lambda objects: _in_objects(canaries, objects))
    full = paged(full, lambda incident, pager: _in_pagerduty(canaries, incident, pager))
    logs = {**world.logs, **_in_logs(canaries, world)}
    return replace(full, logs=logs, metrics=_in_metrics(canaries, world))


async def _index(canaries: Canaries, folder: Path) -> dict[str, str]:
    (folder / "runbooks").mkdir()
    (folder / "runbooks" / "portal-errors.md").write_text(_runbook(canaries))
    await ingest(IngestSettings(folder / "runbooks", folder / "index", embedding="none"))
    return {"RUNBOOKS_INDEX": str(folder / "index")}


def _tokens(lab: Lab) -> tuple[str, ...]:
    """What the lab gave the servers to identify themselves with."""
    token = kubeconfig(lab)["users"][0]["user"]["token"]
    return (token, lab.environment["PROMETHEUS_TOKEN"], lab.environment["PAGERDUTY_TOKEN"])


@pytest.fixture(scope="module")
async def burgled(
    cedar: World, cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Burgled]:
    canaries, folder = Canaries(), tmp_path_factory.mktemp("burgled")
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(SPANS))
    trace.set_tracer_provider(provider)
    said: list[str] = []
    listening = logging.Handler()
    listening.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(listening)
    async with serve(_planted(canaries, cedar), cache=cache) as lab:
        environment = await _index(canaries, folder)
        outcome = await look(lab, folder / "state", environment=environment)
        spans = "\n".join(span.to_json() for span in SPANS.get_finished_spans())
        yield Burgled(canaries, outcome, spans, "\n".join(said), _tokens(lab))
    logging.getLogger().removeHandler(listening)
    provider.shutdown()


async def test_the_cause_is_found_among_the_secrets_and_ordinary_words_stay(
    burgled: Burgled,
) -> None:
    holds(burgled.outcome)
    assert burgled.outcome.cause == CAUSE
    everything = "\n".join(item.text for item in burgled.outcome.report.evidence)
    assert [words for words in ORDINARY if words not in everything] == []
    assert "[redacted" in everything


async def test_no_evidence_holds_a_secret(burgled: Burgled) -> None:
    leaks = {
        item.tool: found
        for item in burgled.outcome.report.evidence
        if (found := burgled.canaries.seen_in(item.model_dump_json()))
    }
    assert leaks == {}


async def test_no_form_of_the_report_holds_a_secret(burgled: Burgled) -> None:
    forms = burgled.outcome.forms
    assert {name: found for name in forms if (found := burgled.canaries.seen_in(forms[name]))} == {}


async def test_no_file_that_is_kept_holds_a_secret(burgled: Burgled) -> None:
    kept = burgled.outcome.kept
    assert {"incidents.db", "checkpoints.db", "audit.jsonl"} <= set(kept)
    assert {name: found for name in kept if (found := burgled.canaries.seen_in(kept[name]))} == {}


async def test_no_span_and_no_log_line_holds_a_secret(burgled: Burgled) -> None:
    assert "guard kubernetes.list_resources" in burgled.spans
    assert burgled.canaries.seen_in(burgled.spans) == []
    assert burgled.canaries.seen_in(burgled.stderr) == []


@pytest.mark.parametrize("lines_read", range(1, 9))
def test_a_private_key_spread_over_log_lines_is_left_out_also_where_it_is_cut(
    lines_read: int,
) -> None:
    canaries = Canaries()
    key = canaries.one("log", "key").replace("\nMIIE", "\nProc-Type: 4,ENCRYPTED\nMIIE")
    log = f"starting\n{key}\nready to serve\nERROR no such key".splitlines()
    shown = excerpt(["\n".join(log[-lines_read:]).encode()], 200, "")
    texts = [line.text for line in (*shown.errors, *shown.tail)]
    assert canaries.seen_in("\n".join(texts)) == []
    assert ("ready to serve" in texts) == (lines_read > 1)


async def test_credentials_in_addresses_that_do_not_answer_are_not_shown(
    lab: Lab, tmp_path: Path
) -> None:
    canaries = Canaries()

    def nobody(what: str) -> str:
        return f"http://user:{canaries.bare(what)}@127.0.0.1:1"

    config = kubeconfig(lab)
    config["clusters"][0]["cluster"]["server"] = nobody("kubeconfig")
    (tmp_path / "config").write_text(json.dumps(config))
    environment = {
        "KUBECONFIG": str(tmp_path / "config"),
        "PROMETHEUS_URL": nobody("PROMETHEUS_URL"),
        "PAGERDUTY_API_URL": nobody("PAGERDUTY_API_URL"),
    }
    outcome = await look(lab, tmp_path / "state", environment=environment)
    holds(outcome)
    assert len(outcome.report.blind_spots) > 3
    assert canaries.seen_in("".join(outcome.forms.values())) == []
    assert canaries.seen_in(b"".join(outcome.kept.values())) == []


async def test_the_command_line_writes_no_secret_anywhere(
    cedar: World, cache: Path, tmp_path: Path
) -> None:
    canaries = Canaries()
    folder = written(_planted(canaries, cedar), tmp_path / "world")
    index = await _index(canaries, tmp_path)
    places = {"HOME": "state", "XDG_STATE_HOME": "state", "XDG_CACHE_HOME": "cache"}
    homes = {name: str(tmp_path / place) for name, place in places.items()}
    asked = ["triage", "--lab", str(folder), "--out", str(tmp_path / "out"), "--plain"]
    done = await anyio.run_process(
        [sys.executable, "-m", "assistant", *asked],
        env={"PATH": os.environ["PATH"], **homes, **index},
        check=False,
    )
    assert done.returncode in (0, 3), done.stderr
    assert b"tariffs-db has no key password" in done.stdout
    kept = [
        one for name in ("state", "out") for one in (tmp_path / name).rglob("*") if one.is_file()
    ]
    assert len(kept) > 6
    assert {one.name: found for one in kept if (found := canaries.seen_in(one.read_bytes()))} == {}
    assert canaries.seen_in(done.stdout) == canaries.seen_in(done.stderr) == []


async def test_the_tokens_of_the_servers_are_nowhere(burgled: Burgled) -> None:
    kept = b"\n".join(burgled.outcome.kept.values())
    said = [*burgled.outcome.forms.values(), burgled.spans, burgled.stderr]
    for token in burgled.tokens:
        assert len(token) > 10
        assert token.encode() not in kept
        assert [text for text in said if token in text] == []
