"""Autoscalers: at the maximum and short, blind, without a target; a quiet one is no fault."""

import pytest

from assistant.checks import autoscaling
from tests.assistant.checks.cluster import ago, case, container, deployment, kinds, only, thing

pytestmark = pytest.mark.anyio
CPU = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
}


def scaler(*conditions, now=None, have=5, most=5, name="web"):
    metrics = (
        [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": now}}}]
        if now
        else []
    )
    return thing(
        "HorizontalPodAutoscaler",
        "web",
        spec={
            "maxReplicas": most,
            "scaleTargetRef": {"kind": "Deployment", "name": name},
            "metrics": [CPU],
        },
        status={"currentReplicas": have, "conditions": list(conditions), "currentMetrics": metrics},
    )


def says(type_, status, reason, message=""):
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": ago(14),
    }


FULL = says("ScalingLimited", "True", "TooManyReplicas", "more than the maximum")
BLIND = says(
    "ScalingActive",
    "False",
    "FailedGetResourceMetric",
    "missing request for cpu in container web of Pod web-1",
)


async def test_at_the_maximum_and_over_the_target():
    found = await only(autoscaling.check, case(deployment(), scaler(FULL, now=96)))
    assert (found.kind, str(found.entity)) == ("hpa_at_max", "HorizontalPodAutoscaler shop/web")
    assert "Deployment shop/web" in map(str, found.about)
    assert "cpu is at 96, the target is 70" in found.statement


async def test_at_the_maximum_and_under_the_target_is_enough():
    assert await kinds(autoscaling.check, case(deployment(), scaler(FULL, now=52))) == []


@pytest.mark.parametrize(
    "condition",
    [
        says("ScalingLimited", "True", "TooFewReplicas"),
        says("ScalingLimited", "False", "DesiredWithinRange"),
        says("ScalingActive", "False", "ScalingDisabled"),
        says("AbleToScale", "True", "ReadyForNewScale"),
    ],
)
async def test_at_the_minimum_or_switched_off_is_no_fault(condition):
    assert await kinds(autoscaling.check, case(deployment(), scaler(condition, now=12))) == []


async def test_one_that_sees_no_metric_says_which_container_asks_for_nothing():
    found = await only(autoscaling.check, case(deployment("web", container("web")), scaler(BLIND)))
    assert found.kind == "hpa_no_metrics"
    assert found.statement.endswith("; web requests none of it")
    assert found.strength < 1, "blind harms only once there is load"


async def test_one_whose_target_is_gone():
    found = await only(autoscaling.check, case(deployment(), scaler(name="wbe")))
    assert (found.kind, str(found.entity)) == (
        "hpa_target_missing",
        "HorizontalPodAutoscaler shop/web",
    )


async def test_a_target_of_a_kind_that_is_not_read_is_not_called_missing():
    other = scaler()
    other["spec"]["scaleTargetRef"] = {"kind": "Rollout", "name": "web"}
    assert await kinds(autoscaling.check, case(other)) == []


async def test_two_autoscalers_of_one_workload():
    shared = says("ScalingActive", "False", "AmbiguousSelector", "controlled by multiple HPAs")
    assert await kinds(autoscaling.check, case(deployment(), scaler(shared))) == ["hpa_ambiguous"]
