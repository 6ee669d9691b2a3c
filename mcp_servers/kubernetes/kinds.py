"""Which kinds there are and where they are read: a table of the builtins, discovery for the rest.

Discovery is asked only for what the table does not hold, and remembered for the process.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.kubernetes.client import Cluster
from mcp_servers.kubernetes.fields import Object, objects, objects_at, text_at
from mcp_servers.kubernetes.gathering import side_by_side
from mcp_servers.kubernetes.question import segment
from mcp_servers.kubernetes.refusals import Absent

CLUSTER_WIDE = "-"

# kind plural short-names; a leading dash marks kinds without namespace.
BUILTIN = {
    "v1": """Pod pods po, Service services svc, ConfigMap configmaps cm, Secret secrets,
        Event events ev, Endpoints endpoints ep, -Node nodes no, -Namespace namespaces ns,
        -PersistentVolume persistentvolumes pv, PersistentVolumeClaim persistentvolumeclaims pvc,
        ServiceAccount serviceaccounts sa, ResourceQuota resourcequotas quota,
        LimitRange limitranges limits, ReplicationController replicationcontrollers rc""",
    "apps/v1": """Deployment deployments deploy, ReplicaSet replicasets rs,
        StatefulSet statefulsets sts, DaemonSet daemonsets ds,
        ControllerRevision controllerrevisions""",
    "batch/v1": "Job jobs, CronJob cronjobs cj",
    "autoscaling/v2": "HorizontalPodAutoscaler horizontalpodautoscalers hpa",
    "policy/v1": "PodDisruptionBudget poddisruptionbudgets pdb",
    "networking.k8s.io/v1": """Ingress ingresses ing, NetworkPolicy networkpolicies netpol,
        -IngressClass ingressclasses""",
    "discovery.k8s.io/v1": "EndpointSlice endpointslices",
    "storage.k8s.io/v1": """-StorageClass storageclasses sc, -CSIDriver csidrivers,
        -CSINode csinodes, -VolumeAttachment volumeattachments""",
    "rbac.authorization.k8s.io/v1": """Role roles, RoleBinding rolebindings,
        -ClusterRole clusterroles, -ClusterRoleBinding clusterrolebindings""",
    "scheduling.k8s.io/v1": "-PriorityClass priorityclasses pc",
    "coordination.k8s.io/v1": "Lease leases",
    "admissionregistration.k8s.io/v1": """
        -ValidatingWebhookConfiguration validatingwebhookconfigurations,
        -MutatingWebhookConfiguration mutatingwebhookconfigurations""",
    "apiregistration.k8s.io/v1": "-APIService apiservices",
    "apiextensions.k8s.io/v1": "-CustomResourceDefinition customresourcedefinitions crd",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object and where its API group serves it."""

    name: str
    plural: str
    api_version: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The API group; empty for the core group."""
        return self.api_version.rpartition("/")[0]

    def answers_to(self, name: str) -> bool:
        """Whether somebody who writes `name` may mean this kind."""
        wanted = name.lower()
        plain = (self.name.lower(), self.plural, *self.short_names)
        return wanted in plain or wanted in (f"{word}.{self.group}" for word in plain)

    def path(self, namespace: str = "", name: str = "") -> str:
        """`/apis/apps/v1/namespaces/payments/deployments/checkout`."""
        parts = ["", "apis" if "/" in self.api_version else "api", self.api_version]
        if namespace and self.namespaced:
            parts += ["namespaces", segment(namespace, "namespace")]
        parts.append(self.plural)
        if name:
            parts.append(segment(name, "name"))
        return "/".join(parts)


def _builtins() -> Iterable[Kind]:
    for api_version, described in BUILTIN.items():
        for line in described.split(","):
            name, plural, *short = line.split()
            yield Kind(
                name.lstrip("-"), plural, api_version, not name.startswith("-"), tuple(short)
            )


BUILTINS = tuple(_builtins())
BY_NAME = {kind.name: kind for kind in BUILTINS}


def builtin(name: str) -> Kind | None:
    """The builtin kind that is meant by a Kind, plural, short name or plural.group."""
    return next((kind for kind in BUILTINS if kind.answers_to(name)), None)


class Kinds:
    """All kinds that a cluster serves; what it defines itself is discovered when first asked for."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._discovered: tuple[Kind, ...] = ()

    async def find(self, name: str) -> Kind:
        """The kind meant by `name`. Raises Absent, naming near ones, where nothing serves it."""
        known = builtin(name) or self._remembered(name)
        if known:
            return known
        unseen = await self._discover(name)
        known = self._remembered(name)
        if known:
            return known
        if unseen:
            raise unseen
        raise Absent(f"this cluster serves no kind {name!r}", self._near(name))

    async def served(self, kind: Kind) -> Kind:
        """The version of a builtin kind that an older cluster serves instead. Raises Absent."""
        try:
            group = await self._cluster.get(f"/apis/{kind.group}") if kind.group else {}
        except Absent:
            group = {}
        for version in objects(group.get("versions")):
            served = await self._resources(text_at(version, "groupVersion"))
            found = next((other for other in served if other.plural == kind.plural), None)
            if found:
                return found
        raise Absent(f"this cluster does not serve {kind.plural}.{kind.api_version}")

    def _remembered(self, name: str) -> Kind | None:
        return next((kind for kind in self._discovered if kind.answers_to(name)), None)

    async def _discover(self, name: str) -> ToolFailure | None:
        """Read the API groups (of `plural.group` that one alone); a failure is kept, not raised."""
        groups = objects((await self._cluster.get("/apis")).get("groups"))
        wanted = name.lower().partition(".")[2]
        named = [group for group in groups if text_at(group, "name") == wanted]
        versions = [text_at(group, "preferredVersion", "groupVersion") for group in named or groups]
        answers = await side_by_side(*[partial(self._resources, one) for one in versions if one])
        failures = [answer for answer in answers if isinstance(answer, ToolFailure)]
        found = [kind for answer in answers if isinstance(answer, list) for kind in answer]
        kept = [kind for kind in self._discovered if kind not in found]
        self._discovered = (*kept, *found)
        return failures[0] if failures else None

    async def _resources(self, api_version: str) -> list[Kind]:
        group, _, version = api_version.partition("/")
        path = f"/apis/{segment(group, 'group')}/{segment(version, 'version')}"
        listed = objects_at(await self._cluster.get(path), "resources")
        return [_kind(item, api_version) for item in listed if "/" not in text_at(item, "name")]

    def _near(self, name: str) -> tuple[str, ...]:
        names = sorted({kind.plural for kind in (*BUILTINS, *self._discovered)})
        close = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.5)
        return (f"kinds with a similar name: {', '.join(close)}",) if close else ()


def _kind(item: Object, api_version: str) -> Kind:
    return Kind(
        text_at(item, "kind"),
        text_at(item, "name"),
        api_version,
        bool(item.get("namespaced")),
        tuple(str(short) for short in item.get("shortNames") or ()),
    )


def wrong_kind(kind: str, allowed: Iterable[str]) -> ToolFailure:
    """The failure of a tool that is for certain kinds only."""
    return ToolFailure(
        Status.ERROR, f"kind={kind!r} is not one of {', '.join(allowed)}", ("use list_resources",)
    )
