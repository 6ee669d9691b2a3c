"""Discovery: which groups, versions and resources there are, in the plain and the aggregated form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eval.lab.kubernetes.kinds import Kind

_VERBS = ["get", "list", "watch"]
_REVIEWS = ("selfsubjectaccessreviews", "selfsubjectrulesreviews")
_REVIEW_KINDS = ("SelfSubjectAccessReview", "SelfSubjectRulesReview")
AUTHORIZATION = "authorization.k8s.io/v1"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def wants_aggregated(accept: str) -> bool:
    """Whether the client asked for the aggregated form."""
    return AGGREGATED in accept.replace(" ", "")


class Discovery:
    """What a server with these kinds answers to a client that looks around."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self._kinds = tuple(kinds)
        versions = dict.fromkeys(kind.api_version for kind in self._kinds if kind.group)
        self._versions = [*versions, AUTHORIZATION]

    def core(self) -> dict[str, Any]:
        """The answer to /api."""
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}

    def groups(self) -> dict[str, Any]:
        """The answer to /apis."""
        groups = [self._group(name) for name in self._group_names()]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}

    def group(self, name: str) -> dict[str, Any] | None:
        """The answer to /apis/GROUP, or None where there is no such group."""
        if name not in self._group_names():
            return None
        return {"kind": "APIGroup", "apiVersion": "v1", **self._group(name)}

    def resources(self, api_version: str) -> dict[str, Any] | None:
        """The answer to /api/v1 and /apis/GROUP/VERSION, or None where that is not served."""
        if api_version not in (*self._versions, "v1"):
            return None
        return {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": api_version,
            "resources": list(self._plain(api_version)),
        }

    def aggregated(self, *, core: bool) -> dict[str, Any]:
        """All groups with all resources at once, for the core or for the named groups."""
        names = [""] if core else self._group_names()
        return {
            "kind": "APIGroupDiscoveryList",
            "apiVersion": "apidiscovery.k8s.io/v2",
            "metadata": {},
            "items": [self._aggregated_group(name) for name in names],
        }

    def _group_names(self) -> list[str]:
        return list(dict.fromkeys(version.rpartition("/")[0] for version in self._versions))

    def _versions_of(self, group: str) -> list[str]:
        if not group:
            return ["v1"]
        return [version for version in self._versions if version.rpartition("/")[0] == group]

    def _group(self, name: str) -> dict[str, Any]:
        versions = [
            {"groupVersion": full, "version": full.rpartition("/")[2]}
            for full in self._versions_of(name)
        ]
        return {"name": name, "versions": versions, "preferredVersion": versions[0]}

    def _plain(self, api_version: str) -> Iterable[dict[str, Any]]:
        for kind in self._kinds:
            if kind.api_version == api_version:
                yield _plain_resource(kind)
        if api_version == "v1":
            yield _resource("pods/log", "Pod", "", ["get"], namespaced=True)
        if api_version == AUTHORIZATION:
            for plural, kind_name in zip(_REVIEWS, _REVIEW_KINDS, strict=True):
                yield _resource(plural, kind_name, kind_name.lower(), ["create"], namespaced=False)

    def _aggregated_group(self, name: str) -> dict[str, Any]:
        versions = [
            {
                "version": full.rpartition("/")[2],
                "freshness": "Current",
                "resources": [
                    _aggregated_resource(full, plain)
                    for plain in self._plain(full)
                    if "/" not in plain["name"]
                ],
            }
            for full in self._versions_of(name)
        ]
        return {"metadata": {"name": name, "creationTimestamp": None}, "versions": versions}


def _resource(
    name: str, kind: str, singular: str, verbs: list[str], *, namespaced: bool
) -> dict[str, Any]:
    return {
        "name": name,
        "singularName": singular,
        "namespaced": namespaced,
        "kind": kind,
        "verbs": verbs,
    }


def _plain_resource(kind: Kind) -> dict[str, Any]:
    resource = _resource(
        kind.plural, kind.kind, kind.kind.lower(), _VERBS, namespaced=kind.namespaced
    )
    if kind.short_names:
        resource["shortNames"] = list(kind.short_names)
    if kind.categories:
        resource["categories"] = list(kind.categories)
    return resource


def _aggregated_resource(api_version: str, plain: dict[str, Any]) -> dict[str, Any]:
    group, _, version = api_version.rpartition("/")
    resource = {
        "resource": plain["name"],
        "responseKind": {"group": group, "version": version, "kind": plain["kind"]},
        "scope": "Namespaced" if plain["namespaced"] else "Cluster",
        "singularResource": plain["singularName"],
        "verbs": plain["verbs"],
    }
    for key in ("shortNames", "categories"):
        if key in plain:
            resource[key] = plain[key]
    return resource
