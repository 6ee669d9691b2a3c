"""Webhooks: what keeps the API server from an answer, told from an answer that is no."""

import pytest

from assistant.checks import webhooks
from tests.assistant.checks.cluster import case, deployment, event, kinds, only, replica_set

pytestmark = pytest.mark.anyio
CALL = 'Error creating: Internal error occurred: failed calling webhook "policy.example": failed to call webhook: Post "https://policy.shop.svc:443/validate?timeout=10s": '


def refused(words, answers=None, **fields):
    short = replica_set(have=0, **fields)
    return case(deployment(), short, events=[event(short, "FailedCreate", words)], answers=answers)


def configured(name="policy.example", **hook):
    raw = {
        "name": name,
        "failurePolicy": "Fail",
        "timeoutSeconds": 10,
        "clientConfig": {"service": {"name": "policy", "namespace": "shop"}},
        **hook,
    }
    item = {
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "policy"},
        "webhooks": [raw],
    }
    return {
        "kubernetes.list_resources": {"kind": "ValidatingWebhookConfiguration", "items": [item]}
    }


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ('service "policy" not found', "webhook_service_missing"),
        ('no endpoints available for service "policy"', "webhook_no_endpoints"),
        (
            "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "webhook_certificate_bad",
        ),
        ("context deadline exceeded", "webhook_timeout"),
        ("dial tcp 10.96.0.7:443: connect: connection refused", "webhook_down"),
    ],
)
async def test_a_webhook_that_cannot_be_asked_is_named_by_why(words, kind):
    found = await only(webhooks.check, refused(CALL + words))
    assert (found.kind, str(found.entity)) == (kind, "Deployment shop/web")


async def test_the_configuration_is_named_with_its_policy_and_its_absent_service():
    given = refused(CALL + 'service "policy" not found', configured())
    found = await only(webhooks.check, given)
    assert str(found.entity) == "ValidatingWebhookConfiguration policy"
    assert "failurePolicy Fail" in found.statement
    assert "Service shop/policy, which does not exist" in found.statement
    assert "Deployment shop/web" in map(str, found.about)


async def test_a_webhook_that_says_no_blames_the_pods_and_gives_its_reason():
    words = (
        'Error creating: admission webhook "policy.example" denied the request: image has no digest'
    )
    found = await only(webhooks.check, refused(words, configured()))
    assert (found.kind, str(found.entity)) == ("webhook_denied", "Deployment shop/web")
    assert found.statement.endswith("refuses its pods: image has no digest")


async def test_nothing_is_asked_where_no_webhook_refuses():
    asked = []
    given = case(deployment(), replica_set())

    async def ask(tool, arguments, reason):
        asked.append(tool)
        return await given.ask(tool, arguments, reason)

    assert await webhooks.check(case(deployment(), replica_set())) == []
    assert asked == []


async def test_a_quota_that_refuses_a_pod_called_webhook_is_no_webhook():
    words = 'Error creating: pods "webhook-1" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'
    assert await kinds(webhooks.check, refused(words)) == []
