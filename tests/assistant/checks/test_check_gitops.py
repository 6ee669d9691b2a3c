"""Argo CD and Flux: what should have been applied and was not."""

import pytest

from assistant.checks import gitops
from tests.assistant.checks.cluster import (
    ago,
    case,
    deployment,
    kinds,
    only,
    pod,
    replica_set,
    thing,
)

pytestmark = pytest.mark.anyio
ASK = "kubernetes.list_resources"
TRACKED = {"argocd.argoproj.io/tracking-id": "shop-live:apps/Deployment:shop/web"}
FLUX = {
    "kustomize.toolkit.fluxcd.io/name": "shop",
    "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
}


def application(**status):
    return {"items": [thing("Application", "shop-live", namespace="argocd", status=status)]}


def failed(phase="Failed"):
    words = "one or more objects failed to apply: Deployment web is invalid"
    return application(operationState={"phase": phase, "message": words, "finishedAt": ago(20)})


async def test_a_sync_that_failed_is_named_with_its_words_and_what_it_makes():
    web = deployment(annotations=TRACKED)
    given = case(web, replica_set(), pod(), answers={ASK: failed()})
    found = await only(gitops.check, given)
    assert (found.kind, found.entity.name) == ("gitops_sync_failed", "shop-live")
    assert "is invalid" in found.statement
    assert [str(entity) for entity in found.about] == ["Deployment shop/web"]
    assert found.strength == 1.0


async def test_while_all_that_it_made_runs_it_weighs_less():
    given = case(
        deployment(annotations=TRACKED), replica_set(), pod(ready=True), answers={ASK: failed()}
    )
    assert (await only(gitops.check, given)).strength == gitops.ALL_RUNS


@pytest.mark.parametrize(
    "state",
    [
        {"operationState": {"phase": "Succeeded"}, "sync": {"status": "Synced"}},
        {"sync": {"status": "OutOfSync"}},
        {},
    ],
)
async def test_waiting_for_approval_is_no_failure(state):
    given = case(deployment(annotations=TRACKED), answers={ASK: application(**state)})
    assert await kinds(gitops.check, given) == []


async def test_a_comparison_error_is_a_failure():
    condition = {
        "type": "ComparisonError",
        "message": "repository not accessible",
        "lastTransitionTime": ago(20),
    }
    given = case(
        deployment(annotations=TRACKED), answers={ASK: application(conditions=[condition])}
    )
    assert "repository not accessible" in (await only(gitops.check, given)).statement


async def test_a_kustomization_that_is_not_ready_is_told():
    ready = {
        "type": "Ready",
        "status": "False",
        "reason": "BuildFailed",
        "message": "no such path",
        "lastTransitionTime": ago(20),
    }
    made = thing("Kustomization", "shop", namespace="flux-system", status={"conditions": [ready]})
    given = case(deployment(labels=FLUX), answers={ASK: {"items": [made]}})
    found = await only(gitops.check, given)
    assert str(found.entity) == "Kustomization flux-system/shop"
    assert "BuildFailed: no such path" in found.statement


async def test_where_nothing_is_theirs_nobody_is_asked():
    given = case(deployment(), answers={ASK: failed()})
    assert await kinds(gitops.check, given) == []
