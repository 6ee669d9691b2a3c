"""A run as Prometheus metrics: in a file for the node exporter's textfile collector, or pushed to a gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ingest.errors import IngestError
from ingest.report import ExitCode, IngestReport

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

JOB = "runbook_ingest"
LAST_SUCCESS = "runbook_ingest_last_success_timestamp_seconds"
SUCCESSES = (ExitCode.DONE, ExitCode.SOME_SKIPPED)
"""A broken document is its author's to mend; withheld removals and failed sources are the operator's."""
TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended, and when. `report` is None where it failed."""

    at: datetime
    code: ExitCode
    report: IngestReport | None = None

    @property
    def succeeded(self) -> bool:
        """Whether nothing is left for an operator to do."""
        return self.code in SUCCESSES


def write_metrics(file: Path, ended: Ended) -> None:
    """Replaces the file in one step; a failed run keeps the time of the last success in it."""
    # Only where metrics are wanted: it brings an HTTP server along.
    from prometheus_client import write_to_textfile  # noqa: PLC0415

    last_success = ended.at.timestamp() if ended.succeeded else _last_success(file)
    try:
        write_to_textfile(str(file), _registry(ended, last_success))
    except OSError as error:
        raise IngestError(
            f"the metrics file {str(file)!r} cannot be written: {error.strerror}"
        ) from error


def push_metrics(gateway: str, ended: Ended) -> None:
    """Adds the run to a Pushgateway; what it holds of the last success stays, if this run failed."""
    from prometheus_client import pushadd_to_gateway  # noqa: PLC0415 - see write_metrics

    last_success = ended.at.timestamp() if ended.succeeded else None
    try:
        registry = _registry(ended, last_success)
        pushadd_to_gateway(gateway, JOB, registry, timeout=TIMEOUT_SECONDS)
    except (OSError, HTTPException, ValueError) as error:
        # The address may hold a password.
        host = urlsplit(gateway).hostname or "the Pushgateway"
        raise IngestError(
            f"metrics cannot be pushed to {host}: {type(error).__name__}; is --pushgateway right?"
        ) from error


def _registry(ended: Ended, last_success: float | None) -> CollectorRegistry:
    """The metrics of one run."""
    from prometheus_client import CollectorRegistry, Gauge  # noqa: PLC0415 - see write_metrics

    registry = CollectorRegistry()

    def gauge(name: str, says: str, value: float) -> None:
        Gauge(name, says, registry=registry).set(value)

    gauge(f"{JOB}_last_run_timestamp_seconds", "When the last run began.", ended.at.timestamp())
    gauge(f"{JOB}_exit_code", "How the last run ended; 0 is done.", int(ended.code))
    if last_success is not None:
        gauge(LAST_SUCCESS, "When the last run that left nothing to do began.", last_success)
    if ended.report is not None:
        report = ended.report
        gauge(f"{JOB}_duration_seconds", "How long the last run took.", report.seconds)
        gauge(f"{JOB}_sections", "Sections in the index.", report.sections)
        gauge(f"{JOB}_embedded_sections", "Sections the model read in this run.", report.embedded)
        documents = Gauge(f"{JOB}_documents", "By outcome.", ["outcome"], registry=registry)
        for outcome, count in _outcomes(report).items():
            documents.labels(outcome).set(count)
        failed = Gauge(f"{JOB}_source_failed", "1: not listed.", ["source"], registry=registry)
        for one in report.failed:
            failed.labels(one.where).set(1)
    return registry


def _outcomes(report: IngestReport) -> Mapping[str, int]:
    """How many documents each thing happened to."""
    return {
        "added": len(report.added),
        "changed": len(report.changed),
        "removed": len(report.removed),
        "unchanged": report.unchanged,
        "skipped": len(report.skipped),
        "withheld": len(report.withheld),
    }


def _last_success(file: Path) -> float | None:
    """The time of the last success in a file of an earlier run, if it is there."""
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415

    try:
        for family in text_string_to_metric_families(file.read_text(encoding="utf-8")):
            if family.name == LAST_SUCCESS:
                return family.samples[0].value
    except (OSError, ValueError, IndexError):
        return None
    return None
