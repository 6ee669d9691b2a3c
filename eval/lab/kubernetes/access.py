"""Who may do what: the token check, the denied rules, and the reviews that tell of them."""

from __future__ import annotations

import hmac
from typing import Any

from starlette.requests import Request

from eval.lab.kubernetes.kinds import Kind
from eval.lab.kubernetes.status import forbidden, general
from eval.lab.world import Denial

READS = ("get", "list", "watch")


class Access:
    """The lab's one user: reads all but what is denied. Rules may be added while it serves."""

    def __init__(self, token: str, denied: tuple[Denial, ...]) -> None:
        self._expected = f"Bearer {token}".encode()
        self.denied = list(denied)

    def authenticate(self, request: Request) -> None:
        """Refuse a wrong or expired token.

        A request without any passes: kubectl never sends credentials over plain HTTP, and the
        lab listens on loopback only.
        """
        given = request.headers.get("authorization")
        if given is not None and not hmac.compare_digest(given.encode(), self._expected):
            raise general(401)

    def require(
        self, kind: Kind, verb: str, namespace: str, name: str = "", subresource: str = ""
    ) -> None:
        """Refuse what the user may not do."""
        resource = f"{kind.plural}/{subresource}" if subresource else kind.plural
        if not self.allows(verb, resource, namespace):
            raise forbidden(kind, verb, namespace, name, subresource)

    def allows(self, verb: str, resource: str, namespace: str) -> bool:
        """Whether the user may. Writes are never allowed: worlds are read-only for now."""
        if verb not in READS:
            return False
        return not any(rule.covers(verb, resource, namespace) for rule in self.denied)

    def review(self, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a SelfSubjectAccessReview."""
        asked = (body.get("spec") or {}).get("resourceAttributes") or {}
        resource = asked.get("resource", "")
        if asked.get("subresource"):
            resource += "/" + asked["subresource"]
        allowed = self.allows(asked.get("verb", ""), resource, asked.get("namespace", ""))
        status = {"allowed": allowed} if allowed else {"allowed": False, "reason": "no rule allows"}
        return {
            "kind": "SelfSubjectAccessReview",
            "apiVersion": "authorization.k8s.io/v1",
            "metadata": {},
            "spec": body.get("spec") or {},
            "status": status,
        }

    def rules(self, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a SelfSubjectRulesReview; rules cannot express a denial, so it is partial."""
        rule = {"verbs": list(READS), "apiGroups": ["*"], "resources": ["*"]}
        return {
            "kind": "SelfSubjectRulesReview",
            "apiVersion": "authorization.k8s.io/v1",
            "metadata": {},
            "spec": body.get("spec") or {},
            "status": {
                "resourceRules": [rule],
                "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["*"]}],
                "incomplete": bool(self.denied),
            },
        }
