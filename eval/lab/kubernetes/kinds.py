"""The kinds the lab's Kubernetes API knows: the built-in ones of a real server, and a world's own.

A real server lists a built-in kind as empty where there is none of it, so the table holds more
kinds than any world does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

CORE = "v1"


@dataclass(frozen=True, slots=True)
class Kind:
    """One resource of the API: how it is called in paths, in discovery and in objects."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The API group; empty for the core."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        """The version within the group."""
        return self.api_version.rpartition("/")[2]

    @property
    def qualified(self) -> str:
        """`deployments.apps`, as errors name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


_ALL = ("all",)
_NAMESPACED: tuple[tuple[str, str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    (CORE, "ConfigMap", "configmaps", ("cm",), ()),
    (CORE, "Endpoints", "endpoints", ("ep",), ()),
    (CORE, "Event", "events", ("ev",), ()),
    (CORE, "LimitRange", "limitranges", ("limits",), ()),
    (CORE, "PersistentVolumeClaim", "persistentvolumeclaims", ("pvc",), ()),
    (CORE, "Pod", "pods", ("po",), _ALL),
    (CORE, "PodTemplate", "podtemplates", (), ()),
    (CORE, "ReplicationController", "replicationcontrollers", ("rc",), _ALL),
    (CORE, "ResourceQuota", "resourcequotas", ("quota",), ()),
    (CORE, "Secret", "secrets", (), ()),
    (CORE, "Service", "services", ("svc",), _ALL),
    (CORE, "ServiceAccount", "serviceaccounts", ("sa",), ()),
    ("apps/v1", "ControllerRevision", "controllerrevisions", (), ()),
    ("apps/v1", "DaemonSet", "daemonsets", ("ds",), _ALL),
    ("apps/v1", "Deployment", "deployments", ("deploy",), _ALL),
    ("apps/v1", "ReplicaSet", "replicasets", ("rs",), _ALL),
    ("apps/v1", "StatefulSet", "statefulsets", ("sts",), _ALL),
    ("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", ("hpa",), _ALL),
    ("batch/v1", "CronJob", "cronjobs", ("cj",), _ALL),
    ("batch/v1", "Job", "jobs", (), _ALL),
    ("coordination.k8s.io/v1", "Lease", "leases", (), ()),
    ("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", (), ()),
    ("networking.k8s.io/v1", "Ingress", "ingresses", ("ing",), ()),
    ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", ("netpol",), ()),
    ("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", ("pdb",), ()),
    ("rbac.authorization.k8s.io/v1", "Role", "roles", (), ()),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", (), ()),
)
_CLUSTER_WIDE: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (CORE, "Namespace", "namespaces", ("ns",)),
    (CORE, "Node", "nodes", ("no",)),
    (CORE, "PersistentVolume", "persistentvolumes", ("pv",)),
    (
        "admissionregistration.k8s.io/v1",
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
        (),
    ),
    (
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        (),
    ),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", ("crd",)),
    ("networking.k8s.io/v1", "IngressClass", "ingressclasses", ()),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", ()),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", ()),
    ("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", ("pc",)),
    ("storage.k8s.io/v1", "CSIDriver", "csidrivers", ()),
    ("storage.k8s.io/v1", "CSINode", "csinodes", ()),
    ("storage.k8s.io/v1", "StorageClass", "storageclasses", ("sc",)),
    ("storage.k8s.io/v1", "VolumeAttachment", "volumeattachments", ()),
)
BUILT_IN: tuple[Kind, ...] = (
    *(
        Kind(api, kind, plural, short_names=short, categories=into)
        for api, kind, plural, short, into in _NAMESPACED
    ),
    *(
        Kind(api, kind, plural, namespaced=False, short_names=short)
        for api, kind, plural, short in _CLUSTER_WIDE
    ),
)


def kinds_of(objects: Iterable[dict[str, Any]]) -> tuple[Kind, ...]:
    """The built-in kinds, and those that a world holds besides."""
    known = {(kind.api_version, kind.kind): kind for kind in BUILT_IN}
    definitions = {}
    for item in objects:
        if item["kind"] == "CustomResourceDefinition":
            definitions.update(_defined(item))
        key = (item["apiVersion"], item["kind"])
        if key not in known:
            known[key] = _guessed(*key, namespaced="namespace" in item["metadata"])
    return tuple((known | definitions).values())


def _defined(definition: dict[str, Any]) -> dict[tuple[str, str], Kind]:
    """The kinds that a CustomResourceDefinition brings, one for each of its versions."""
    spec = definition.get("spec", {})
    names, group = spec.get("names", {}), spec.get("group", "")
    if not names.get("kind") or not names.get("plural"):
        return {}
    versions = [f"{group}/{version['name']}" for version in spec.get("versions", [])]
    short, scope = tuple(names.get("shortNames", ())), spec.get("scope", "Namespaced")
    return {
        (api, names["kind"]): Kind(
            api, names["kind"], names["plural"], scope == "Namespaced", short
        )
        for api in versions
    }


def _guessed(api_version: str, kind: str, *, namespaced: bool) -> Kind:
    """A kind that only the world's objects tell of, with the plural English would give it."""
    name = kind.lower()
    if name.endswith(("s", "x", "ch", "sh")):
        plural = name + "es"
    elif name.endswith("y") and name[-2:-1] not in "aeiou":
        plural = name[:-1] + "ies"
    else:
        plural = name + "s"
    return Kind(api_version, kind, plural, namespaced)
