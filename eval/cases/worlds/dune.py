"""A machine whose disk fills; the service that may run nowhere else is evicted and cannot come back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assistant.incident import Entity, Verdict
from eval.cases import node_troubles, noise
from eval.cases.case import Case, Expected, Rival
from eval.cases.shop import Setting, healthy_shop
from eval.cases.system import Change, Firing, Page, PastIncident, System

TOLD = "Printing: no waybills printed for 10 minutes"
STUCK = (
    "0/4 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }, "
    "3 node(s) didn't match Pod's node affinity/selector. preemption: 0/4 nodes are available: 4 "
    "Preemption is not helpful for scheduling."
)


def build() -> System:
    """The parcel shop twenty-seven minutes after the disk passed its threshold."""
    as_of = datetime(2026, 6, 17, 4, 33, 20, tzinfo=UTC)
    shop = healthy_shop(Setting("dune", "pw-north-1", as_of, namespace="dispatch"))
    noise.usual(shop)
    name = node_troubles.pin(shop, "printing", ("parcelworks.example/printer-lan", "gate-hall"))
    full = shop.ago(minutes=27)
    node_troubles.fill_disk(shop, name, node_troubles.Disk(shop.ago(minutes=96), full))
    here = [p for p in shop.pods if p.node == name and p.workload.routes]
    here.sort(key=lambda pod: pod.workload.name != "printing")
    for number, pod in enumerate(here):
        fresh = node_troubles.evict(shop, pod, full + timedelta(seconds=40 + 90 * number))
        if fresh.workload.name == "printing":
            node_troubles.cannot_be_scheduled(shop, fresh, STUCK)
        else:
            node_troubles.settle_elsewhere(shop, fresh, name)
    _tell(shop, name)
    noise.innocent_deploy(shop, "notices", "2.0.6", shop.ago(minutes=71), "Notices")
    return shop


def _tell(shop: System, node: str) -> None:
    fired = shop.ago(minutes=15)
    labels = {"namespace": "dispatch", "deployment": "printing", "severity": "critical"}
    shop.page = Page(
        alert="WaybillsNotPrinted",
        title=TOLD,
        service="Printing",
        at=fired,
        labels=labels,
        description="printing handled no job for 10 minutes while its queue grows",
        runbook_url="https://runbooks.parcelworks.example/printing-stopped",
    )
    shop.firing.append(Firing("WaybillsNotPrinted", fired, labels))
    host = {"node": node, "severity": "warning"}
    shop.firing.append(Firing("NodeFilesystemSpaceFillingUp", shop.ago(minutes=58), host))
    details = {"play": "journald.yml", "limit": node, "SystemMaxUse": "2G -> 64G", "by": "k.moreau"}
    summary = f"Configuration run: journald limits on {node}"
    shop.changes.append(Change(shop.ago(minutes=98), summary, "ansible", "Platform", details))
    shop.past.append(PastIncident("Printing: waybills late at gate hall", shop.ago(days=28), 52.3))


CASE = Case(
    name="dune",
    told=TOLD,
    build=build,
    expected=Expected(
        verdict=Verdict.CAUSE_FOUND,
        kind="node_disk_pressure",
        entity=Entity(kind="Node", name="worker-1"),
        rivals=(
            Rival(
                Entity(kind="Deployment", namespace="dispatch", name="notices"),
                "released long before the threshold was passed; its pods are ready",
            ),
            Rival(
                Entity(kind="Node", name="worker-2"),
                "rebooted more than two days ago, all of its conditions are good",
            ),
            Rival(
                Entity(kind="Deployment", namespace="preview", name="banner-test"),
                "Pending since two days for want of CPU, which is another reason",
            ),
        ),
    ),
)
