"""Kubernetes quantities, and what is requested and free on nodes."""

from __future__ import annotations

from assistant.snapshot import Object, Snapshot, dig, mapping

_SUFFIXES = {
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15,
    "E": 1e18, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50,
}  # fmt: skip


def quantity(text: object) -> float:
    """A quantity (`250m`, `1Gi`, `2`) as a number in cores, bytes or pieces; 0 for nonsense."""
    raw = str(text if text is not None else "0").strip()
    number = raw.rstrip("numkMGTPEi")
    try:
        return float(number or 0) * _SUFFIXES.get(raw[len(number) :], 0.0)
    except ValueError:
        return 0.0


def requested(pod: Object, resource: str) -> float:
    """What a pod asks for: the sum of its containers, or its largest init container if greater."""
    main = sum(_request(container, resource) for container in pod.containers())
    first = max(
        (_request(container, resource) for container in pod.containers(init=True)), default=0.0
    )
    return max(main, first)


def _request(container: object, resource: str) -> float:
    wanted = mapping(container, "resources", "requests")
    limits = mapping(container, "resources", "limits")
    return quantity(wanted.get(resource, limits.get(resource)))


def free(snapshot: Snapshot, node: Object, resource: str) -> float:
    """What is left on a node: allocatable less the requests of the pods that were seen there.

    Pods in namespaces that were not read are not known, so the true figure can be smaller.
    """
    allocatable = dig(node.status, "allocatable", resource)
    if allocatable is None:
        return float("inf")
    used = sum(
        requested(pod, resource)
        for pod in snapshot.of("Pod")
        if pod.spec.get("nodeName") == node.name
        and pod.status.get("phase") in ("Running", "Pending")
    )
    return quantity(allocatable) - used


def amount(value: float, resource: str) -> str:
    """A quantity for people: `0.5 CPU`, `128 MiB memory`."""
    if resource == "memory":
        return f"{value / 2**20:.0f} MiB memory"
    return f"{value:g} {'CPU' if resource == 'cpu' else resource}"


def spelled(value: float, resource: str) -> str:
    """How much of a quota's resource: `0.3 CPU`, `512 MiB`, `2 pods`."""
    if "memory" in resource or "storage" in resource:
        large = abs(value) >= 2**30
        return f"{value / (2**30 if large else 2**20):.3g} {'GiB' if large else 'MiB'}"
    if resource.rpartition(".")[2] == "cpu":
        return f"{value:.3g} CPU"
    return f"{value:.3g} {resource.rpartition('/')[2]}"
