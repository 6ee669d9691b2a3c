"""Queues that grow, and who stopped working."""

import pytest

from assistant.checks import backlog
from tests.assistant.checks.cluster import case, deployment, kinds, only, pod, web
from tests.assistant.checks.traffic import anomalies, anomaly

pytestmark = pytest.mark.anyio
GREW = {"before": 4.0, "during": 2090.0}


def idle(pod_name="web-6d4b9-x2x7p", **more):
    figures = {"before": 0.2, "during": 0.001, "minutes": 23, **more}
    labels = {"namespace": "shop", "pod": pod_name}
    return anomaly("container_cpu_usage_seconds_total", "down", **figures, **labels)


@pytest.mark.parametrize(
    ("metric", "labels", "name"),
    [
        ("kafka_consumergroup_lag", {"consumergroup": "billing", "topic": "orders"}, "billing"),
        ("rabbitmq_queue_messages_ready", {"queue": "mail"}, "mail"),
        ("redis_key_size", {"key": "letters"}, "letters"),
        ("celery_queue_length", {"queue_name": "default"}, "default"),
    ],
)
async def test_a_queue_that_grows_is_named_however_it_is_exported(metric, labels, name):
    given = case(deployment(), more=[anomalies(anomaly(metric, **GREW, **labels))])
    found = await only(backlog.check, given)
    assert (found.kind, found.entity.name) == ("queue_lag", name)


async def test_the_one_worker_that_stopped_before_is_the_thing_at_fault():
    queue = anomaly("redis_key_size", key="letters", **GREW)
    given = case(*web(), pod(), more=[anomalies(queue, idle())])
    found = await only(backlog.check, given)
    assert str(found.entity) == "Deployment shop/web"
    assert "letters grew from 4 to 2090" in found.statement


@pytest.mark.parametrize("other", [idle(during=0.19), idle(minutes=55), idle("unknown-pod")])
async def test_a_worker_that_works_on_or_stopped_at_another_time_is_not_accused(other):
    queue = anomaly("redis_key_size", key="letters", **GREW)
    given = case(*web(), pod(), more=[anomalies(queue, other)])
    assert (await only(backlog.check, given)).entity.kind == "Queue"


@pytest.mark.parametrize(
    "row",
    [
        anomaly("redis_key_size", before=4, during=6, key="letters"),
        anomaly("redis_key_size", before=1000, during=1500, key="letters"),
        anomaly("redis_key_size", "down", before=900, during=4, key="letters"),
        anomaly("redis_key_size", strength=1.0, key="letters", **GREW),
        anomaly("container_memory_usage_bytes", **GREW),
    ],
)
async def test_a_queue_within_its_ordinary_length_is_nothing(row):
    assert await kinds(backlog.check, case(deployment(), more=[anomalies(row)])) == []
