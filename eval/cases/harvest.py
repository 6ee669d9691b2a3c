"""A small data pipeline: an hourly CronJob that pulls measurements, and a catalogue. Nobody measures it."""

from __future__ import annotations

from datetime import datetime, timedelta

from eval.cases.clinic import LABEL, add_up, cluster_dns, machines, revisions
from eval.cases.clinic_objects import COREFILE
from eval.cases.clinic_services import Part
from eval.cases.clinic_templates import part_template
from eval.cases.plain_objects import add, config_map, secret
from eval.cases.system import System, Traffic, Workload, stamp

NAMESPACE = "harvest"
PULL = "hourly-pull"


def healthy_harvest(name: str, as_of: datetime) -> System:
    """The pipeline on a good day; there is a Kubernetes to ask, and nothing else."""
    system = System(name, "grid-lab", NAMESPACE, as_of, organisation="gridlab", team="Data")
    system.has_prometheus = False
    for namespace in (NAMESPACE, "kube-system", "kube-node-lease"):
        system.namespaces[namespace] = system.ago(days=140)
    settled = system.ago(days=139)
    for namespace in system.namespaces:
        add(system, "ServiceAccount", (namespace, "default"), settled)
    add(system, "ServiceAccount", (NAMESPACE, "catalog"), settled)
    add(system, "ServiceAccount", ("kube-system", "coredns"), settled)
    config_map(system, ("kube-system", "coredns"), settled, {"Corefile": COREFILE})
    secret(system, (NAMESPACE, "object-store"), settled, ["access-key", "secret-key"])
    machines(system)
    cluster_dns(system)
    _catalogue(system)
    _cron_job(system, settled)
    return system


def _catalogue(system: System) -> None:
    part = Part("catalog", "1.0.6", "gunicorn", port=8000, entry_rate=0.4, routes=("GET /series",))
    rows = revisions(
        system, part.name, ("quay.example/gridlab/catalog:1.0.6",), part_template(part, "catalog")
    )
    workload = Workload("Deployment", NAMESPACE, part.name, system.ago(days=90), 2, rows, part.port)
    workload.label, workload.speaks, workload.routes = LABEL, part.speaks, part.routes
    add_up(system, workload)
    system.traffic[part.name] = Traffic(0.03, 0.0004, {}, part.entry_rate)


def _cron_job(system: System, settled: datetime) -> None:
    keys = ("access-key", "secret-key")
    container = {
        "command": ["python", "-m", "harvest.pull"],
        "env": [
            {"name": "STORE_URL", "value": "https://store.gridlab.example"},
            *(
                {
                    "name": key.replace("-", "_").upper(),
                    "valueFrom": {"secretKeyRef": {"key": key, "name": "object-store"}},
                }
                for key in keys
            ),
        ],
        "image": "quay.example/gridlab/harvest:2.3.1",
        "name": "pull",
        "resources": {"limits": {"memory": "512Mi"}, "requests": {"cpu": "200m"}},
    }
    template = {"spec": {"containers": [container], "restartPolicy": "Never"}}
    last = system.as_of.replace(minute=5, second=0)
    add(
        system,
        "CronJob",
        (NAMESPACE, PULL),
        settled,
        api_version="batch/v1",
        spec={
            "concurrencyPolicy": "Forbid",
            "jobTemplate": {"spec": {"backoffLimit": 2, "template": template}},
            "schedule": "5 * * * *",
            "suspend": False,
        },
        status={
            "lastScheduleTime": stamp(last),
            "lastSuccessfulTime": stamp(last + timedelta(seconds=95)),
        },
    )
