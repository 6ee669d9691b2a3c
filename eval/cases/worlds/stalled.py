"""What should end or run and does not: a drain, a namespace's deletion, a nightly job, its schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assistant.incident import Entity, Verdict
from eval.cases import control_troubles, lifecycle, noise, troubles
from eval.cases.case import Answer, Case, Expected, Rival
from eval.cases.plain_objects import add
from eval.cases.samples import Figure
from eval.cases.system import System, stamp
from eval.cases.telling import Told, changed, night, tell


def tuff() -> System:
    """A node is to be emptied, and a budget asks for as many pods of payments as there are."""
    shop = night("tuff", datetime(2026, 10, 28, 13, 50, 40, tzinfo=UTC), "dispatch")
    control_troubles.budget(shop, "payments", 2)
    node = shop.pods_of("payments")[0].node
    begun = shop.ago(minutes=50)
    control_troubles.cordon(shop, node, begun)
    here = [p for p in shop.pods if p.node == node and p.workload.kind == "Deployment"]
    for number, old in enumerate(p for p in here if p.workload.name != "payments"):
        fresh = troubles.replace_pod(shop, old, begun + timedelta(seconds=20 + 9 * number))
        lifecycle.start(fresh)
    changed(shop, 51, f"Node upgrade started: {node}", "node-roller", "Platform", version="v1.31.5")
    noise.innocent_deploy(shop, "tracking", "1.18.5", shop.ago(minutes=38), "Tracking")
    tell(shop, TUFF(node))
    return shop


def TUFF(node: str = "") -> Told:  # noqa: N802 - what the others hold as a constant
    """What the node roller said, of whichever node that is."""
    return Told(
        "Node upgrade: a node is not empty after 30 minutes", "NodeDrainSlow", "platform", 19,
        measured=False, says=f"draining {node} since 50 minutes, 1 pod left",
        labels=(("node", node), ("severity", "warning")),
    )  # fmt: skip


CALCITE = Told(
    "Preview: environment cannot be set up", "PreviewDeployFailed", "preview", 12, measured=False,
    says="deploy of banner-test to preview fails for 20 minutes: namespace preview is being terminated",
    labels=(("namespace", "preview"), ("severity", "warning")),
)  # fmt: skip


def calcite() -> System:
    """A namespace was deleted, and a claim in it keeps a finalizer of a backup tool that is gone."""
    shop = night("calcite", datetime(2026, 11, 3, 10, 8, 15, tzinfo=UTC), "storefront", noisy=False)
    noise.node_rebooted(shop, "worker-2", shop.ago(hours=61))
    noise.slow_backup(shop)
    born, deleted = shop.ago(days=12), shop.ago(minutes=47)
    shop.namespaces["preview"] = born
    finalizer = "backup.parcelworks.example/retain"
    control_troubles.never_ends(shop, "preview", deleted, finalizer, "persistentvolumeclaims.")
    kept = add(
        shop, "PersistentVolumeClaim", ("preview", "banner-cache"), born,
        spec={
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "2Gi"}},
            "storageClassName": "block-ssd",
            "volumeMode": "Filesystem",
        },
        status={"phase": "Pending"},
    )  # fmt: skip
    kept["metadata"] |= {
        "deletionGracePeriodSeconds": 0,
        "deletionTimestamp": stamp(deleted + timedelta(seconds=6)),
        "finalizers": [finalizer],
    }
    changed(shop, 47, "Preview environment removed: banner-test", "preview-bot", "Preview")
    noise.innocent_deploy(shop, "portal", "8.3.2", shop.ago(minutes=33), "Portal")
    tell(shop, CALCITE)
    return shop


ZIRCON = Told(
    "Settlement: the last run failed", "KubeJobFailed", "settlement", 24,
    labels=(("namespace", "dispatch"), ("severity", "warning")),
)  # fmt: skip


def zircon() -> System:
    """The nightly settlement failed three times at one row, and is not tried again."""
    shop = night("zircon", datetime(2026, 11, 5, 1, 44, 30, tzinfo=UTC), "dispatch")
    began = shop.as_of.replace(minute=15, second=0)
    begins = tuple(began + timedelta(seconds=seconds) for seconds in (1, 43, 96))
    says = (
        "settle: 18204 charges of 2026-11-04 read",
        "settle: payout file refused at row 9117: column 'vat_rate' is empty",
        "Traceback (most recent call last):",
        '  File "/app/settle/payout.py", line 88, in write',
        "settle.payout.RowRefused: row 9117",
    )
    name = control_troubles.job_failed(
        shop, "settlement", control_troubles.Tries(begins, 31.0, says)
    )
    for metric, amount in (("kube_job_status_failed", 3.0), ("kube_job_status_active", 0.0)):

        def at(moment: datetime, amount: float = amount) -> float:
            return amount if moment > begins[-1] + timedelta(seconds=33) else 0.0

        labels = {"namespace": "dispatch", "job_name": name}
        shop.figures.append(Figure(metric, labels, at))
    noise.innocent_deploy(shop, "payments", "5.0.9", shop.ago(minutes=51), "Payments")
    tell(shop, Told(**{**vars(ZIRCON), "labels": (*ZIRCON.labels, ("job_name", name))}))
    return shop


ZIRCON_JOB = "settlement-29897355"

OPAL = Told(
    "Settlement: newest file is more than 26 hours old", "SettlementFileOld", "settlement", 8,
    labels=(("namespace", "dispatch"), ("cronjob", "settlement"), ("severity", "warning")),
)  # fmt: skip


def opal() -> System:
    """The nightly settlement was suspended for a maintenance, and nobody took that back."""
    shop = night("opal", datetime(2026, 11, 12, 3, 29, 20, tzinfo=UTC), "dispatch")
    job = shop.find("CronJob", "dispatch", "settlement")
    job["spec"]["suspend"] = True
    troubles.touched(job, shop.ago(hours=10), "kubectl-patch")
    last = (shop.as_of - timedelta(days=1)).replace(hour=1, minute=15, second=0)
    ended = last + timedelta(minutes=6, seconds=8)
    job["status"] = {"lastScheduleTime": stamp(last), "lastSuccessfulTime": stamp(ended)}
    age = Figure(
        "settlement_newest_file_age_seconds", {"namespace": "dispatch"},
        lambda moment: (moment - ended).total_seconds(),
    )  # fmt: skip
    shop.figures.append(age)
    changed(shop, 600, "Maintenance of orders-db: done", "operations", "Platform", by="h.adeyemi")
    noise.innocent_deploy(shop, "payments", "5.0.9", shop.ago(minutes=51), "Payments")
    tell(shop, OPAL)
    return shop


def _deployment(namespace: str, name: str) -> Entity:
    return Entity(kind="Deployment", namespace=namespace, name=name)


SETTLEMENT = Entity(kind="CronJob", namespace="dispatch", name="settlement")
BUDGET = Entity(kind="PodDisruptionBudget", namespace="dispatch", name="payments")

CASES = (
    Case(
        "tuff",
        TUFF().title,
        tuff,
        Expected(
            Verdict.CAUSE_FOUND,
            "drain_blocked",
            BUDGET,
            as_right=(Answer("drain_blocked", _deployment("dispatch", "payments")),),
            rivals=(Rival(_deployment("storefront", "tracking"), "released well"),),
        ),
    ),
    Case(
        "calcite",
        CALCITE.title,
        calcite,
        Expected(
            Verdict.CAUSE_FOUND,
            "namespace_stuck_terminating",
            Entity(kind="Namespace", name="preview"),
            as_right=(
                Answer(
                    "stuck_terminating",
                    Entity(kind="PersistentVolumeClaim", namespace="preview", name="banner-cache"),
                ),
            ),
            rivals=(Rival(_deployment("storefront", "portal"), "released well"),),
        ),
    ),
    Case(
        "zircon",
        ZIRCON.title,
        zircon,
        Expected(
            Verdict.CAUSE_FOUND,
            "job_failed",
            Entity(kind="Job", namespace="dispatch", name=ZIRCON_JOB),
            as_right=(Answer("job_failed", SETTLEMENT),),
            rivals=(Rival(_deployment("dispatch", "payments"), "released well"),),
        ),
    ),
    Case(
        "opal",
        OPAL.title,
        opal,
        Expected(
            Verdict.CAUSE_FOUND,
            "cron_suspended",
            SETTLEMENT,
            rivals=(Rival(_deployment("dispatch", "payments"), "released well"),),
        ),
    ),
)
