"""The keys of an object store were replaced; the pipeline still has the old ones. Kubernetes alone can be asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assistant.incident import Entity, Verdict
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.clinic import Told, page, tell_change
from eval.cases.control_troubles import Tries, job_failed
from eval.cases.harvest import NAMESPACE, PULL, healthy_harvest
from eval.cases.system import System

TOLD = Told(
    "DeadMansSwitch",
    "hourly-pull did not report for 75 minutes",
    {"cronjob": PULL},
    "the last ping of hourly-pull is older than its schedule allows",
    minutes=9,
    service="Data pipeline",
)
AS_OF = datetime(2026, 12, 16, 4, 29, 40, tzinfo=UTC)


def build() -> System:
    """The pipeline after the keys were replaced: three tries of this hour's job are spent."""
    harvest = healthy_harvest("linnet", AS_OF)
    began = AS_OF.replace(minute=5, second=0)
    begins = tuple(began + timedelta(seconds=seconds) for seconds in (1, 32, 85))
    refused = (
        "INFO harvest.pull: 412 stations to read",
        "Traceback (most recent call last):",
        '  File "/app/harvest/store.py", line 41, in put',
        "botocore.exceptions.ClientError: An error occurred (InvalidAccessKeyId) when calling the "
        "PutObject operation: The AWS Access Key Id you provided does not exist in our records.",
    )
    job_failed(harvest, PULL, Tries(begins, 19.0, refused))
    replaced = harvest.ago(minutes=51)
    summary = "Object store: access keys of harvest replaced"
    tell_change(harvest, replaced, summary, source="vault", service="Data pipeline")
    page(harvest, TOLD)
    harvest.firing.clear()
    return harvest


CASE = Case(
    "linnet",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "credentials_refused",
        Entity(kind="CronJob", namespace=NAMESPACE, name=PULL),
        rivals=(
            Rival(
                Entity(kind="Deployment", namespace=NAMESPACE, name="catalog"),
                "it is ready, and does not write to the store",
            ),
        ),
        as_right=(
            Answer(
                "credentials_refused",
                Entity(kind="Job", namespace=NAMESPACE, name=f"{PULL}-29956565"),
            ),
            Answer(
                "credentials_refused",
                Entity(kind="Secret", namespace=NAMESPACE, name="object-store"),
            ),
        ),
    ),
)
