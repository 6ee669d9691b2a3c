"""Access and certificates: the verb that is missing, tokens, and certificates in trouble."""

import pytest

from assistant.checks import access, certificates
from tests.assistant.checks.cluster import (
    ago,
    case,
    deployment,
    event,
    kinds,
    logs,
    node,
    only,
    pod,
    state,
    thing,
    web,
)

pytestmark = pytest.mark.anyio
DENIED = ('pods is forbidden: User "system:serviceaccount:shop:web" cannot watch resource "pods" '
          'in API group "" in the namespace "shop"')  # fmt: skip


def listed(*items):
    return {"kind": items[0]["kind"], "items": list(items), "next_cursor": ""}


def running(**spec):
    return pod(states=[state(ready=True)], ready=True, spec={"nodeName": "worker-1", **spec})


def said(text, **more):
    return {"kubernetes.get_pod_logs": logs(text), **more}


def role(*verbs, name="reader"):
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": list(verbs)}]
    return thing("Role", name, rules=rules)


def binding(to="reader", account="web"):
    return thing("RoleBinding", "web-reads", roleRef={"kind": "Role", "name": to},
                 subjects=[{"kind": "ServiceAccount", "name": account, "namespace": "shop"}])  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ((role("get", "list"), binding()), "Role shop/reader lets it only get, list"),
        (
            (role("watch"), binding(account="other")),
            "Role shop/reader would allow it and is not bound",
        ),
        ((role("get", name="x"), binding(to="gone")), "to gone, which does not exist"),
    ],
)
async def test_a_denial_names_the_verb_and_the_role_that_nearly_fits(rows, words):
    answers = said(
        DENIED, **{f"kubernetes.list_resources {row['kind']}": listed(row) for row in rows}
    )
    found = await only(access.check, case(*web(), running(), answers=answers))
    assert (found.kind, found.details["verb"], found.details["resource"]) == (
        "rbac_denied",
        "watch",
        "pods",
    )
    assert words in found.statement


async def test_a_denial_stands_by_itself_where_roles_may_not_be_read():
    found = await only(access.check, case(*web(), running(), answers=said(DENIED)))
    assert found.statement.endswith("may not watch pods in shop")


async def test_a_denial_in_an_event():
    here = running()
    told = event(here, "FailedMount", DENIED)
    found = await only(access.check, case(*web(), here, events=[told]))
    assert str(found.entity) == "Deployment shop/web"


async def test_a_quota_that_forbids_is_no_denial():
    words = 'pods "web-1" is forbidden: exceeded quota: few, requested: pods=1'
    assert await kinds(access.check, case(*web(), running(), answers=said(words))) == []


async def test_a_program_without_a_token():
    words = "open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory"
    off = [deployment(pod={"automountServiceAccountToken": False}), *web()[1:]]
    found = await only(access.check, case(*off, running(), answers=said(words)))
    assert (found.kind, found.strength) == ("service_account_token_missing", 0.95)
    weaker = await only(access.check, case(*web(), running(), answers=said(words)))
    assert weaker.strength == 0.8


MANAGER = thing("Namespace", "cert-manager")
MANAGER["metadata"].pop("namespace")
LATER = ago(days=-60)


def certificate(*, ready="True", ends=LATER, message="Certificate is up to date"):
    condition = {
        "type": "Ready",
        "status": ready,
        "message": message,
        "lastTransitionTime": ago(20),
    }
    return thing("Certificate", "shop", status={"conditions": [condition], "notAfter": ends},
                 spec={"secretName": "shop-tls", "issuerRef": {"kind": "Issuer", "name": "ca"}})  # fmt: skip


def managed(*items):
    return {f"kubernetes.list_resources {i['kind']}.cert-manager.io": listed(i) for i in items}


async def test_a_certificate_that_ran_out():
    found = await only(
        certificates.check, case(MANAGER, answers=managed(certificate(ends=ago(30))))
    )
    assert (found.kind, str(found.entity)) == ("certificate_expired", "Certificate shop/shop")


async def test_a_certificate_that_waits_for_an_issuer_that_is_ill():
    ill = thing(
        "Issuer",
        "ca",
        status={
            "conditions": [{"type": "Ready", "status": "False", "message": "secret not found"}]
        },
    )
    given = managed(certificate(ready="False", message="Issuing certificate"), ill)
    assert await kinds(certificates.check, case(MANAGER, answers=given)) == [
        "certificate_not_ready",
        "issuer_not_ready",
    ]


async def test_certificates_are_not_asked_for_where_nothing_speaks_of_a_manager():
    assert await kinds(certificates.check, case(answers=managed(certificate(ends=ago(30))))) == []


async def test_a_certificate_that_is_well():
    assert await kinds(certificates.check, case(MANAGER, answers=managed(certificate()))) == []


async def test_an_event_that_speaks_of_a_certificate():
    here = thing("APIService", "v1.metrics")
    told = event(here, "FailedDiscoveryCheck", "x509: certificate has expired or is not yet valid")
    assert await kinds(certificates.check, case(events=[told])) == ["certificate_expired"]
    refused = event(here, "FailedCreate", "failed calling webhook: x509: certificate has expired")
    assert await kinds(certificates.check, case(events=[refused])) == []


async def test_a_node_whose_request_nobody_approved():
    ill = node(
        conditions=[{"type": "Ready", "status": "Unknown", "reason": "NodeStatusNeverUpdated"}]
    )
    waits = thing(
        "CertificateSigningRequest", "csr-1", spec={"username": "system:node:worker-1"}, status={}
    )
    waits["metadata"].pop("namespace")
    found = await only(
        certificates.check, case(ill, answers={"kubernetes.list_resources": listed(waits)})
    )
    assert (found.kind, found.entity.name) == ("csr_pending", "worker-1")
