"""What a run tells: to a person, to a program, to Prometheus and to the scheduler."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ingest.changes import Problem
from ingest.errors import IngestError
from ingest.generations import Generations
from ingest.job import ingest
from ingest.metrics import Ended, push_metrics, write_metrics
from ingest.options import EPILOG
from ingest.report import ExitCode, IngestReport
from tests.ingest.conftest import write

REPORT = IngestReport(index="index", mode="lexical", model="none", runbooks=3, sections=7)
FIRST = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
SECOND = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)


def run(settings, *arguments) -> subprocess.CompletedProcess[str]:
    where = ["--source", str(settings.source), "--index", str(settings.index)]
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "ingest", *where, "--embedding", "none", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )


def samples(text):
    """(name, label values) -> value."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def everything_in(folder):
    return sorted((file, file.stat().st_mtime_ns) for file in folder.rglob("*"))


def test_a_report_file_says_what_became_of_each_document(settings, source, tmp_path):
    write(source, {"broken.md": "---\n: [\n---\n"})
    file = tmp_path / "report.json"
    done = run(settings, "--report", str(file))
    told = json.loads(file.read_text())
    assert (done.returncode, told["exit_code"]) == (3, 3)
    assert len(told["added"]) == 3
    assert (told["changed"], told["removed"], told["withheld"], told["failed"]) == ([], [], [], [])
    (skipped,) = told["skipped"]
    assert skipped["where"] == "broken.md"
    assert "bad front matter" in skipped["reason"]
    assert told["seconds"] > 0
    assert datetime.fromisoformat(told["started_at"]).tzinfo is not None


def test_a_run_that_fails_leaves_a_report_too(settings, tmp_path):
    file = tmp_path / "report.json"
    done = run(replace(settings, source=tmp_path / "absent"), "--report", str(file))
    told = json.loads(file.read_text())
    assert (done.returncode, told["exit_code"]) == (1, 1)
    assert "is not a folder" in told["error"]


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(settings, source):
    first = run(settings, "--dry-run")
    assert first.stdout.startswith("dry run, nothing written: 3 added")
    assert not settings.index.exists()
    run(settings)
    before = everything_in(settings.index)
    write(source, {"new.md": "# New\n\nx\n", "playbooks.md": "# Other\n\ny\n"})
    (source / "checkout" / "crash.md").unlink()
    metrics = settings.index.parent / "metrics.prom"
    dry = run(settings, "--dry-run", "--metrics-file", str(metrics))
    assert dry.returncode == 0
    for words in (
        "would add new.md",
        "would change playbooks.md",
        "would remove checkout/crash.md",
    ):
        assert words in dry.stderr
    assert everything_in(settings.index) == before
    assert not metrics.exists()


def test_a_dry_run_does_not_wait_for_a_run_that_holds_the_index(settings):
    with Generations(settings.index).locked():
        assert run(settings, "--dry-run").returncode == ExitCode.DONE
        busy = run(settings)
    assert busy.returncode == ExitCode.BUSY
    assert "another ingestion is running" in busy.stderr


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (REPORT, 0),
        (replace(REPORT, skipped=(Problem("a.md", "torn"),)), 3),
        (replace(REPORT, skipped=(Problem("a.md", "torn"),), withheld=("b.md",)), 4),
        (replace(REPORT, withheld=("b.md",), failed=(Problem("wiki", "503"),)), 5),
    ],
)
def test_the_exit_code_is_that_of_the_worst_that_happened(report, code):
    assert report.exit_code == code


def test_every_exit_code_is_documented():
    for code in ExitCode:
        assert f"\n  {int(code)} " in EPILOG


@pytest.mark.parametrize(
    "arguments",
    [
        ["--sources", "table.toml"],
        ["--since", "yesterday"],
        ["--rebuild", "--since", "2026-11-20"],
        ["--allow-mass"],
    ],
)
def test_a_wrong_command_line_ends_with_2(settings, arguments):
    assert run(settings, *arguments).returncode == ExitCode.WRONG_USAGE


def test_the_line_names_what_needs_somebody(settings):
    told = replace(REPORT, withheld=("b.md",), failed=(Problem("wiki", "503"),)).line
    assert "1 removals withheld, 1 sources failed" in told


def test_metrics_are_in_a_file_that_prometheus_can_read(settings, tmp_path):
    file = tmp_path / "ingest.prom"
    run(settings, "--metrics-file", str(file))
    told = samples(file.read_text())
    assert told["runbook_ingest_documents", "added"] == 3
    assert told["runbook_ingest_sections",] == 7
    assert told["runbook_ingest_exit_code",] == 0
    assert told["runbook_ingest_duration_seconds",] > 0
    assert told["runbook_ingest_last_success_timestamp_seconds",] > 0
    assert list(tmp_path.glob("ingest.prom*")) == [file]


def test_a_failed_run_keeps_the_time_of_the_last_success(tmp_path):
    file = tmp_path / "ingest.prom"
    write_metrics(file, Ended(FIRST, ExitCode.DONE, REPORT))
    write_metrics(file, Ended(SECOND, ExitCode.FAILED))
    told = samples(file.read_text())
    assert told["runbook_ingest_last_success_timestamp_seconds",] == FIRST.timestamp()
    assert told["runbook_ingest_last_run_timestamp_seconds",] == SECOND.timestamp()
    assert told["runbook_ingest_exit_code",] == 1


@pytest.mark.parametrize("code", [ExitCode.SOURCE_FAILED, ExitCode.REMOVALS_WITHHELD])
def test_what_an_operator_must_look_at_is_no_success(tmp_path, code):
    file = tmp_path / "ingest.prom"
    write_metrics(file, Ended(FIRST, code, REPORT))
    assert ("runbook_ingest_last_success_timestamp_seconds",) not in samples(file.read_text())


@pytest.mark.parametrize("text", ["\x00", "no metrics {", "# TYPE x gauge\n"])
def test_a_damaged_metrics_file_is_replaced(tmp_path, text):
    file = tmp_path / "ingest.prom"
    file.write_text(text)
    write_metrics(file, Ended(SECOND, ExitCode.FAILED))
    assert samples(file.read_text())["runbook_ingest_exit_code",] == 1


def test_a_metrics_file_that_cannot_be_written_is_told_and_the_run_stands(settings, tmp_path):
    done = run(settings, "--metrics-file", str(tmp_path / "absent" / "ingest.prom"))
    assert done.returncode == 0
    assert "cannot be written" in done.stderr


@contextmanager
def gateway(status=200):
    """A Pushgateway's side of the wire: (method, path, metrics) of each request."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            seen.append((self.command, self.path, samples(body)))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_arguments):
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()


def test_metrics_are_added_to_what_a_pushgateway_holds():
    with gateway() as (url, seen):
        push_metrics(url, Ended(FIRST, ExitCode.DONE, REPORT))
        push_metrics(url, Ended(SECOND, ExitCode.FAILED))
    assert [(method, path) for method, path, _ in seen] == [
        ("POST", "/metrics/job/runbook_ingest")
    ] * 2
    success = ("runbook_ingest_last_success_timestamp_seconds",)
    assert [success in told for _, _, told in seen] == [True, False]


def test_a_pushgateway_that_refuses_is_told_without_its_password():
    with gateway(status=503) as (url, _), pytest.raises(IngestError) as told:
        push_metrics(url.replace("//", "//someone:hunter2@"), Ended(FIRST, ExitCode.DONE, REPORT))
    assert "cannot be pushed to 127.0.0.1" in str(told.value)
    assert "hunter2" not in str(told.value)


def test_a_broken_pushgateway_does_not_fail_the_run(settings):
    done = run(settings, "--pushgateway", "http://127.0.0.1:1")
    assert done.returncode == 0
    assert "metrics cannot be pushed" in done.stderr


@pytest.mark.anyio
async def test_a_clock_of_the_caller_times_the_run(settings):
    times = iter([FIRST, SECOND])
    report = await ingest(settings, clock=lambda: next(times))
    assert report.started_at == FIRST.isoformat()
    assert report.seconds == 86_400
