"""Quotas: the sum that does not work out, and claims that would not fit."""

import pytest

from assistant.checks import admission
from tests.assistant.checks.cluster import case, deployment, event, kinds, only, replica_set, thing

pytestmark = pytest.mark.anyio


def quota(resource, hard, used):
    status = {"hard": {resource: hard}, "used": {resource: used}}
    return thing("ResourceQuota", "team-quota", spec={}, status=status)


def mounting(name="cache-data"):
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": name}}]
    return deployment("cache", pod={"volumes": volumes})


def volume(name, size, phase="Available", **spec):
    return thing(
        "PersistentVolume",
        name,
        spec={"capacity": {"storage": size}, **spec},
        status={"phase": phase},
    )


@pytest.mark.parametrize(
    ("sums", "said"),
    [
        ("requested: requests.cpu=500m, used: requests.cpu=1800m, limited: requests.cpu=2", "0.3 CPU too much"),
        ("requested: limits.memory=600Mi, used: limits.memory=3Gi, limited: limits.memory=3Gi", "600 MiB too much"),
        ("requested: pods=1, used: pods=10, limited: pods=10", "1 pods too much"),
        ("requested: requests.storage=10Gi, used: requests.storage=95Gi, limited: requests.storage=100Gi",
         "5 GiB too much"),
    ],
)  # fmt: skip
async def test_a_quota_says_what_was_asked_what_is_used_and_how_much_is_missing(sums, said):
    short = replica_set(have=0)
    words = f'Error creating: pods "web-x" is forbidden: exceeded quota: team-quota, {sums}'
    found = await only(
        admission.check, case(deployment(), short, events=[event(short, "FailedCreate", words)])
    )
    assert said in found.statement
    assert sums.split("=")[1].split(",")[0] in found.statement


async def test_local_disk_is_no_storage_of_claims():
    short = replica_set(have=0)
    words = "exceeded quota: q, requested: requests.ephemeral-storage=2Gi, used: requests.ephemeral-storage=9Gi, limited: requests.ephemeral-storage=10Gi"
    found = await only(
        admission.check, case(deployment(), short, events=[event(short, "FailedCreate", words)])
    )
    assert found.kind == "quota_exceeded"


async def test_a_claim_that_alone_is_more_than_the_quota_was_refused():
    wanted = {
        "metadata": {"name": "data"},
        "spec": {"resources": {"requests": {"storage": "20Gi"}}},
    }
    database = deployment("db", kind="StatefulSet", spec={"volumeClaimTemplates": [wanted]})
    found = await only(admission.check, case(quota("requests.storage", "10Gi", "0"), database))
    assert found.kind == "namespace_storage_quota_exceeded"
    assert "10 GiB too little" in found.statement
    assert found.strength == 1.0


async def test_a_claim_that_the_quota_has_room_for_was_not_refused_by_it():
    wanted = {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    database = deployment("db", kind="StatefulSet", spec={"volumeClaimTemplates": [wanted]})
    assert (
        await kinds(admission.check, case(quota("requests.storage", "10Gi", "0"), database)) == []
    )


async def test_the_only_volume_made_by_hand_is_larger_than_the_quota_allows():
    given = case(quota("requests.storage", "1Gi", "0"), mounting(), volume("pv-1", "2Gi"))
    found = await only(admission.check, given)
    assert found.kind == "namespace_storage_quota_exceeded"
    assert "1 GiB too little for PersistentVolume pv-1" in found.statement
    assert found.strength < 1


async def test_volumes_made_on_demand_say_nothing_of_an_absent_claims_size():
    dynamic = thing("StorageClass", "fast", provisioner="ebs.csi.aws.com")
    given = case(quota("requests.storage", "1Gi", "0"), mounting(), volume("pv-1", "2Gi"), dynamic)
    assert await kinds(admission.check, given) == []


async def test_a_mistyped_claim_is_not_blamed_on_a_full_quota():
    there = thing("PersistentVolumeClaim", "cache-date", spec={}, status={"phase": "Bound"})
    given = case(quota("persistentvolumeclaims", "1", "1"), mounting(), there)
    assert await kinds(admission.check, given) == []
