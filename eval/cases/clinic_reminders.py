"""The reminder service of the clinic: it starts Jobs through the Kubernetes API, and needs rights for it."""

from __future__ import annotations

from datetime import datetime

from eval.cases.clinic import LABEL, add_up, revisions
from eval.cases.clinic_services import IMAGES, NAMESPACE, Part
from eval.cases.clinic_templates import part_template
from eval.cases.plain_objects import add
from eval.cases.system import System, Traffic, Workload
from eval.cases.troubles import touched

NAME = "reminder-runner"


def add_reminders(system: System, verbs: list[str], changed: datetime) -> None:
    """The service under an account of its own, whose role has these verbs for Jobs since a moment."""
    settled = system.ago(days=120)
    part = Part(NAME, "1.2.0", "gunicorn", replicas=1, component="worker")
    template = part_template(part, NAME)
    rows = revisions(system, NAME, (f"{IMAGES}/{NAME}:1.1.4", f"{IMAGES}/{NAME}:1.2.0"), template)
    workload = Workload("Deployment", NAMESPACE, NAME, settled, 1, rows)
    workload.label, workload.speaks, workload.memory_mib = LABEL, "gunicorn", 70
    workload.routes = ("POST /tick",)
    add_up(system, workload)
    system.traffic[NAME] = Traffic(0.02, 0.0, {}, 0.02)
    version = "rbac.authorization.k8s.io/v1"
    add(system, "ServiceAccount", (NAMESPACE, NAME), settled)
    rules = [
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": verbs},
        {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]},
    ]
    role = add(system, "Role", (NAMESPACE, NAME), settled, api_version=version, rules=rules)
    touched(role, changed, "argocd-controller")
    add(
        system,
        "RoleBinding",
        (NAMESPACE, NAME),
        settled,
        api_version=version,
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": NAME},
        subjects=[{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    )
