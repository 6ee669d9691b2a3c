"""Kinds of Kubernetes objects as people write them."""

from __future__ import annotations

_NAMES = {
    "Pod": "pod po", "Deployment": "deployment deploy", "StatefulSet": "statefulset sts",
    "DaemonSet": "daemonset ds", "Service": "service svc", "ConfigMap": "configmap cm",
    "Secret": "secret", "Node": "node no", "PersistentVolumeClaim": "persistentvolumeclaim pvc",
    "PersistentVolume": "persistentvolume pv", "Ingress": "ingress ing", "ReplicaSet": "replicaset rs",
    "NetworkPolicy": "networkpolicy netpol networkpolicie", "ResourceQuota": "resourcequota quota",
    "ServiceAccount": "serviceaccount sa", "Job": "job", "CronJob": "cronjob cj", "Namespace": "namespace ns",
    "HorizontalPodAutoscaler": "horizontalpodautoscaler hpa", "StorageClass": "storageclass sc",
    "PodDisruptionBudget": "poddisruptionbudget pdb", "Lease": "lease", "EndpointSlice": "endpointslice",
    "IngressClass": "ingressclass", "Role": "role", "RoleBinding": "rolebinding", "ClusterRole": "clusterrole",
    "ClusterRoleBinding": "clusterrolebinding",
    "ValidatingWebhookConfiguration": "validatingwebhookconfiguration",
    "MutatingWebhookConfiguration": "mutatingwebhookconfiguration",
}  # fmt: skip
KINDS = {name: kind for kind, names in _NAMES.items() for name in names.split()}
CLUSTER_WIDE = frozenset({"Node", "Namespace", "PersistentVolume", "StorageClass", "IngressClass", "ClusterRole",
                          "ClusterRoleBinding", "ValidatingWebhookConfiguration",
                          "MutatingWebhookConfiguration"})  # fmt: skip
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


def kind_of(word: str) -> str:
    """`deploy`, `deployments`, `ingresses` and `deployments.apps` as the API names them; "" for others."""
    plain = word.lower().partition(".")[0]
    found = (KINDS.get(plain.removesuffix(suffix)) for suffix in ("", "s", "es"))
    return next((kind for kind in found if kind), "")
