"""Refused pods and Services; a refusal that was overcome since is over."""

import pytest

from assistant.checks import admission
from tests.assistant.checks.cluster import (
    ago,
    case,
    container,
    deployment,
    event,
    kinds,
    only,
    pod,
    replica_set,
    service,
    state,
    thing,
)

pytestmark = pytest.mark.anyio
FORBIDDEN = 'Error creating: pods "web-6d4b9-" is forbidden: '
ABSENT = 'error looking up service account shop/web: serviceaccount "web" not found'


def refused(words, **fields):
    short = replica_set(have=0, **fields)
    return case(deployment(), short, events=[event(short, "FailedCreate", words)])


@pytest.mark.parametrize(
    ("sums", "kind"),
    [
        ("requested: requests.cpu=1, used: requests.cpu=10, limited: requests.cpu=10", "namespace_cpu_quota_exceeded"),
        ("requested: requests.memory=300Mi, used: requests.memory=3000Mi, limited: requests.memory=3Gi",
         "namespace_memory_quota_exceeded"),
        ("requested: pods=1, used: pods=10, limited: pods=10", "namespace_pod_quota_exceeded"),
        ("requested: count/widgets=1, used: count/widgets=4, limited: count/widgets=4", "quota_exceeded"),
        ("requested: pods=1,requests.cpu=1, used: pods=3,requests.cpu=10, limited: requests.cpu=10",
         "namespace_cpu_quota_exceeded"),
    ],
)  # fmt: skip
async def test_a_full_quota_is_named_by_what_it_limits(sums, kind):
    found = await only(admission.check, refused(f"{FORBIDDEN}exceeded quota: team-quota, {sums}"))
    assert (found.kind, str(found.entity)) == (kind, "ResourceQuota shop/team-quota")
    assert "Deployment shop/web" in map(str, found.about)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (f"{FORBIDDEN}failed quota: team-quota: must specify limits.cpu for: web; limits.memory for: web",
         "quota_demands_limits"),
        (f"{FORBIDDEN}maximum memory usage per Container is 1Gi, but limit is 2Gi", "limit_range_violated"),
        ("Error creating: pods is forbidden: no PriorityClass with name gold was found", "priority_class_missing"),
        ('Error creating: Pod "web-6d4b9-x" is invalid: spec.containers[0].resources.requests: Invalid value: "2": '
         "must be less than or equal to cpu limit", "pod_template_invalid"),
        ("Error creating: persistentvolumeclaims is forbidden: 2 default StorageClasses were found",
         "default_storage_class_ambiguous"),
        (f'{FORBIDDEN}violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false', "pod_security_blocked"),
        ("Error creating: Timeout: request did not complete", "pods_refused"),
    ],
)  # fmt: skip
async def test_a_refusal_is_named_by_who_refused(words, kind):
    found = await only(admission.check, refused(words))
    assert (found.kind, str(found.entity)) == (kind, "Deployment shop/web")


async def test_a_service_account_that_does_not_exist():
    found = await only(admission.check, refused(FORBIDDEN + ABSENT))
    assert (found.kind, str(found.entity)) == ("missing_service_account", "ServiceAccount shop/web")


async def test_a_refusal_of_the_first_seconds_that_was_overcome_is_nothing():
    well = replica_set(have=1)
    events = [event(well, "FailedCreate", FORBIDDEN + ABSENT, minutes=19)]
    assert await kinds(admission.check, case(deployment(), well, events=events)) == []


async def test_a_service_account_that_exists_by_now_is_not_missing():
    short = replica_set(have=0)
    account = thing("ServiceAccount", "web")
    events = [event(short, "FailedCreate", FORBIDDEN + ABSENT)]
    assert await kinds(admission.check, case(deployment(), short, account, events=events)) == []


async def test_a_daemon_that_runs_on_every_node_was_refused_long_ago_and_is_well():
    status = {"desiredNumberScheduled": 2, "currentNumberScheduled": 2}
    daemon = thing("DaemonSet", "agent", spec={}, status=status)
    words = (
        f"{FORBIDDEN}exceeded quota: team-quota, requested: pods=1, used: pods=10, limited: pods=10"
    )
    given = case(daemon, events=[event(daemon, "FailedCreate", words, minutes=50)])
    assert await kinds(admission.check, given) == []


async def test_a_finished_job_that_was_refused_first_is_well():
    job = thing("Job", "import", spec={"parallelism": 1, "completions": 1}, status={"succeeded": 1})
    given = case(job, events=[event(job, "FailedCreate", FORBIDDEN + ABSENT, minutes=50)])
    assert await kinds(admission.check, given) == []


def caller(host):
    return deployment(
        "front", container("front", env=[{"name": "URL", "value": f"http://{host}:80"}])
    )


def full(resource="services"):
    status = {"hard": {resource: "5"}, "used": {resource: "5"}}
    return thing("ResourceQuota", "team-quota", spec={}, status=status)


async def test_a_full_quota_beside_an_absent_service_that_callers_use():
    found = await only(admission.check, case(full(), deployment("web"), caller("web")))
    assert found.kind == "namespace_service_quota_exceeded"
    assert found.details["missing"] == "web"


async def test_a_full_quota_with_every_service_there_is_nothing():
    given = case(full(), deployment("web"), service("web"), caller("web"))
    assert await kinds(admission.check, given) == []


async def test_a_full_quota_that_nobody_is_short_of_is_nothing():
    given = case(full(), deployment("web"), pod(states=[state(ready=True)], ready=True))
    assert await kinds(admission.check, given) == []


async def test_a_claim_that_a_full_storage_quota_refused():
    template = [{"metadata": {"name": "data"}}]
    database = deployment("db", kind="StatefulSet", spec={"volumeClaimTemplates": template})
    found = await only(admission.check, case(full("persistentvolumeclaims"), database))
    assert found.kind == "namespace_storage_quota_exceeded"
    assert found.details["missing"] == "data-db-0"
    assert "PersistentVolumeClaim shop/data-db-0" in map(str, found.about)
    assert found.began is None or found.began.isoformat() >= ago(60)
