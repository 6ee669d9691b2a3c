"""What looks guilty in the clinic and is not: an abandoned rollout, old restarts, releases that went well."""

from __future__ import annotations

from datetime import datetime

from eval.cases import lifecycle
from eval.cases.clinic import LABEL, add_up, revisions, tell_change
from eval.cases.clinic_services import IMAGES, Part
from eval.cases.clinic_templates import part_template
from eval.cases.noise import started_again
from eval.cases.plain_objects import add
from eval.cases.system import Happening, System, Traffic, Workload
from eval.cases.troubles import bad_image, set_image


def usual(clinic: System) -> None:
    """What is there on any night; to be put on a healthy clinic, before its trouble."""
    abandoned_rollout(clinic)
    old_restart(clinic, "redis", clinic.ago(days=11, hours=5))
    changed = clinic.ago(hours=30, minutes=41)
    tell_change(clinic, changed, "Merged: rotate on-call calendar", source="github", by="j.brandt")
    _autoscaler_hiccup(clinic)


def abandoned_rollout(clinic: System) -> None:
    """A sandbox where somebody's rollout has been waiting for its image since days."""
    born = clinic.ago(days=52)
    clinic.namespaces["sandbox"] = born
    for account in ("default", "clinic-app"):
        add(clinic, "ServiceAccount", ("sandbox", account), born)
    part = Part("form-designer", "0.3.0", "winston", port=3000, replicas=1)
    template = part_template(part)
    rows = revisions(clinic, part.name, (f"{IMAGES}/form-designer:0.3.0",), template)
    workload = Workload("Deployment", "sandbox", part.name, born, 1, rows, 3000)
    workload.label, workload.speaks = LABEL, "winston"
    workload.routes = ("GET /forms",)
    add_up(clinic, workload)
    clinic.traffic[part.name] = Traffic(0.02, 0.0, {}, 0.02)
    bad_image(clinic, part.name, f"{IMAGES}/form-designer:0.4.0-pr112", clinic.ago(hours=66))


def _autoscaler_hiccup(clinic: System) -> None:
    at = clinic.ago(hours=9, minutes=12)
    message = (
        "failed to get cpu utilization: unable to get metrics for resource cpu: no metrics "
        "returned from resource metrics API"
    )
    name = ("HorizontalPodAutoscaler", "clinic", "booking-api")
    clinic.happenings.append(
        Happening(
            *name,
            "FailedGetResourceMetric",
            message,
            at,
            at,
            warning=True,
            component="horizontal-pod-autoscaler",
        )
    )


def old_restart(clinic: System, name: str, at: datetime) -> None:
    """One restart of a pod, days ago."""
    started_again(clinic.pods_of(name)[0], at, "Error", 143)


def innocent_release(clinic: System, name: str, version: str, at: datetime) -> None:
    """A release of another program that went well."""
    workload = clinic.workloads[name]
    image = workload.newest.template["containers"][0]["image"].rpartition(":")[0]
    lifecycle.revise(clinic, workload, set_image(f"{image}:{version}"), at)
    lifecycle.roll_out(clinic, workload, at)
    tell_change(clinic, at, f"{name} {version} deployed to live", version=version, by="gitlab-ci")
