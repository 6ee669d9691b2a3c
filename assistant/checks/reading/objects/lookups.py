"""The cluster's DNS as far as its objects show it: which pods answer, and at which ports. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from assistant.checks.reading.objects.flows import declared_ports
from assistant.incident import Evidence
from assistant.snapshot import Object, Snapshot, dig, listing

NAMES = ("coredns", "kube-dns", "dns-default")
LABELS = ("k8s-app", "app.kubernetes.io/name")
DNS_PORT = 53


def is_dns(item: Object) -> bool:
    """Whether a pod or workload is the cluster's DNS, by its labels or its name."""
    labelled = any(item.labels.get(label) in NAMES for label in LABELS)
    return labelled or (item.name.startswith(NAMES) and "autoscaler" not in item.name)


def dns_pods(snapshot: Snapshot) -> list[Object]:
    """The pods of the cluster's DNS that were seen."""
    return [pod for pod in snapshot.of("Pod", "kube-system") if is_dns(pod)]


def dns_ports(pods: Iterable[Object]) -> set[int]:
    """The UDP ports at which the cluster's DNS is asked; 53 where its pods were not seen."""
    declared = {n for pod in pods for _, n, protocol in declared_ports(pod) if protocol == "UDP"}
    return declared or {DNS_PORT}


def dns_services(listed: Evidence) -> list[Object]:
    """The Services of the cluster's DNS in a listing of kube-system: by name, label or port."""
    rows = Snapshot.made_of([listed]).of("Service")
    return [row for row in rows if is_dns(row) or _serves_dns(row)]


def _serves_dns(service: Object) -> bool:
    return any(dig(row, "port") == DNS_PORT for row in listing(service.spec, "ports"))


def dns_addresses(services: Iterable[Object], snapshot: Snapshot) -> set[str]:
    """The addresses at which the cluster's DNS answers, as far as they were seen."""
    rows = list(services)
    found = {str(address) for row in rows for address in listing(row.spec, "clusterIPs")}
    found |= {str(row.spec.get("clusterIP")) for row in rows if row.spec.get("clusterIP")}
    return found | {str(ip) for pod in dns_pods(snapshot) if (ip := pod.status.get("podIP"))}
