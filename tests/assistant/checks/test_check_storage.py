"""Claims: which property keeps each volume from fitting; a claim that nobody uses yet may wait."""

import pytest

from assistant.checks import storage
from tests.assistant.checks.cluster import (
    case,
    deployment,
    event,
    kinds,
    only,
    pending,
    replica_set,
    thing,
)

pytestmark = pytest.mark.anyio
NO_VOLUME = "no persistent volumes available for this claim and no storage class is set"
UNBOUND = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."


def claim(**spec):
    wanted = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "8Gi"}},
        "storageClassName": "slow",
    }
    return thing("PersistentVolumeClaim", "data", spec=wanted | spec, status={"phase": "Pending"})


def volume(name="pv-1", labels=None, **spec):
    offers = {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "10Gi"},
        "storageClassName": "slow",
    }
    return thing(
        "PersistentVolume",
        name,
        labels=labels or {},
        spec=offers | spec,
        status={"phase": "Available"},
    )


def user(words=UNBOUND):
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    waiting = pending(spec={"volumes": volumes})
    return [deployment("web", pod={"volumes": volumes}), replica_set(), waiting], event(
        waiting, "FailedScheduling", words
    )


def waiting_claim(wanted, *volumes, reason="FailedBinding", words=NO_VOLUME, scheduler=UNBOUND):
    objects, event_of_pod = user(scheduler)
    return case(*objects, wanted, *volumes, events=[event(wanted, reason, words), event_of_pod])


@pytest.mark.parametrize(
    ("wanted", "offered", "kind"),
    [
        (claim(storageClassName="fast"), volume(), "pvc_storage_class_mismatch"),
        (claim(accessModes=["ReadWriteMany"]), volume(), "pvc_access_mode_mismatch"),
        (claim(resources={"requests": {"storage": "20Gi"}}), volume(), "pvc_capacity_mismatch"),
        (claim(selector={"matchLabels": {"tier": "gold"}}), volume(labels={"tier": "iron"}), "pvc_selector_mismatch"),
        (claim(), volume(claimRef={"namespace": "shop", "name": "older"}), "pv_binding_occupied"),
    ],
)  # fmt: skip
async def test_the_one_property_that_differs_is_named(wanted, offered, kind):
    found = await only(storage.check, waiting_claim(wanted, offered))
    assert (found.kind, str(found.entity)) == (kind, "PersistentVolumeClaim shop/data")
    assert "Deployment shop/web" in map(str, found.about)


async def test_the_nearest_volume_counts_where_others_differ_in_everything():
    far = volume("pv-2", storageClassName="x", accessModes=[], capacity={"storage": "1Gi"})
    found = await only(storage.check, waiting_claim(claim(storageClassName="fast"), far, volume()))
    assert found.kind == "pvc_storage_class_mismatch"


async def test_a_storage_class_that_does_not_exist():
    words = 'storageclass.storage.k8s.io "fast" not found'
    given = waiting_claim(claim(storageClassName="fast"), reason="ProvisioningFailed", words=words)
    assert (await only(storage.check, given)).kind == "storage_class_missing"


async def test_a_claim_that_binds_on_first_consumer_and_has_none_may_wait():
    wanted = claim()
    events = [
        event(
            wanted,
            "WaitForFirstConsumer",
            "waiting for first consumer to be created before binding",
        )
    ]
    assert await kinds(storage.check, case(wanted, events=events)) == []


async def test_a_claim_that_waits_for_a_pod_that_has_no_node_for_another_reason_is_not_the_fault():
    given = waiting_claim(
        claim(),
        volume(claimRef={"namespace": "shop", "name": "older"}),
        reason="WaitForFirstConsumer",
        words="waiting for first consumer to be created before binding",
        scheduler="0/3 nodes are available: 3 Insufficient cpu.",
    )
    assert await kinds(storage.check, given) == []


async def test_a_provisioner_that_fails_is_not_blamed_on_volumes_of_others():
    wanted = claim()
    provided = thing("StorageClass", "slow", provisioner="ebs.csi.aws.com")
    words = 'failed to provision volume with StorageClass "slow": rpc error: code = ResourceExhausted desc = limit'
    held = volume(claimRef={"namespace": "shop", "name": "older"})
    given = waiting_claim(wanted, held, provided, reason="ProvisioningFailed", words=words)
    found = await only(storage.check, given)
    assert found.kind == "provisioning_failed"
    assert "ResourceExhausted" in found.statement


async def test_a_claim_that_is_named_and_was_never_made():
    objects, _ = user()
    found = await only(storage.check, case(*objects))
    assert (found.kind, str(found.entity)) == ("claim_missing", "PersistentVolumeClaim shop/data")


async def test_claims_that_were_not_read_are_not_called_missing():
    objects, _ = user()
    assert await kinds(storage.check, case(*objects, unread=["PersistentVolumeClaim"])) == []


async def test_a_bound_claim_is_nothing():
    bound = claim() | {"status": {"phase": "Bound"}}
    objects, _ = user()
    assert await kinds(storage.check, case(*objects, bound, volume())) == []
