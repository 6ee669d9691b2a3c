"""A pod that differs from its template in what makes it fail; what injectors add is no trouble."""

import pytest

from assistant.checks import mutations
from tests.assistant.checks.cluster import (
    ago,
    case,
    container,
    deployment,
    kinds,
    only,
    pod,
    state,
    thing,
    waiting,
)

pytestmark = pytest.mark.anyio
KILLED = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": ago(3)}


def limited(memory, **more):
    return container(resources={"limits": {"memory": memory}}, **more)


def made(template, real, status, **fields):
    wanted = {"replicas": 1, "template": {"spec": {"containers": [template]}}}
    maker = thing(
        "ReplicaSet", "web-6d4b9", spec=wanted, status={"replicas": 1}, owner=("Deployment", "web")
    )
    return case(
        deployment("web", template), maker, pod("web-6d4b9-x", *real, states=[status], **fields)
    )


async def test_a_memory_limit_that_only_the_pod_has_explains_its_kills():
    given = made(limited("1Gi"), [limited("64Mi")], state(restarts=5, last=KILLED))
    found = await only(mutations.check, given)
    assert (found.kind, found.details["template"], found.details["pod"]) == (
        "webhook_mutates_pod",
        "1Gi",
        "64Mi",
    )


async def test_an_image_that_only_the_pod_has_explains_why_it_cannot_be_pulled():
    wrong = container(image="mirror.example/shop/web:1.4.2")
    found = await only(mutations.check, made(container(), [wrong], waiting("ImagePullBackOff")))
    assert found.details["field"] == "image"


async def test_a_variable_of_another_value_explains_a_crash():
    template = container(env=[{"name": "MODE", "value": "live"}])
    changed = container(env=[{"name": "MODE", "value": "off"}, {"name": "ADDED", "value": "1"}])
    found = await only(
        mutations.check, made(template, [changed], waiting("CrashLoopBackOff", restarts=3))
    )
    assert found.details["field"] == "the variable MODE"


async def test_an_injected_container_and_variable_are_nothing():
    proxy = container("istio-proxy")
    changed = container(env=[{"name": "ADDED", "value": "1"}])
    given = made(container(), [changed, proxy], waiting("CrashLoopBackOff", restarts=3))
    assert await kinds(mutations.check, given) == []


async def test_a_pod_that_lives_well_with_the_difference_is_nothing():
    given = made(limited("1Gi"), [limited("64Mi")], state(ready=True), ready=True)
    assert await kinds(mutations.check, given) == []


async def test_a_limit_that_somebody_changed_in_place_is_no_webhooks():
    given = made(limited("1Gi"), [limited("64Mi")], state(restarts=5, last=KILLED))
    given.snapshot.of("Pod")[0].raw["metadata"]["generation"] = 2
    assert await kinds(mutations.check, given) == []
