"""Volumes that were bound: failed, growing without an end, or held by another node."""

import pytest

from assistant.checks import storage, volumes
from tests.assistant.checks.cluster import ago, case, event, kinds, only, pod, thing, waiting, web

pytestmark = pytest.mark.anyio
MOUNT = {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}


def claim(phase="Bound", have="1Gi", **fields):
    spec = {
        "volumeName": "pv-1",
        "resources": {"requests": {"storage": "8Gi"}},
        **fields.pop("spec", {}),
    }
    return thing(
        "PersistentVolumeClaim",
        "data",
        spec=spec,
        status={"phase": phase, "capacity": {"storage": have}, **fields},
    )


async def test_a_claim_without_its_volume_is_lost():
    assert await kinds(storage.check, case(claim("Lost"))) == ["claim_lost"]


async def test_a_claim_without_a_class_where_none_is_the_default():
    wanted = claim("Pending", spec={"volumeName": None})
    there = thing("StorageClass", "fast", provisioner="ebs.csi.aws.com")
    held = thing("PersistentVolume", "pv-9", spec={"claimRef": {"namespace": "x", "name": "y"}},
                 annotations={"pv.kubernetes.io/provisioned-by": "ebs.csi.aws.com"}, status={"phase": "Bound"})  # fmt: skip
    found = await only(storage.check, case(wanted, there, held))
    assert found.kind == "default_storage_class_missing"
    assert "there are fast" in found.statement


async def test_a_provisioner_that_was_asked_and_says_nothing():
    wanted = claim("Pending", spec={"volumeName": None, "storageClassName": "fast"})
    there = thing("StorageClass", "fast", provisioner="ebs.csi.aws.com")
    asked = event(
        wanted,
        "ExternalProvisioning",
        'waiting for a volume to be created by "ebs.csi.aws.com"',
        type="Normal",
    )
    found = await only(storage.check, case(wanted, there, events=[asked]))
    assert found.kind == "provisioner_silent"


async def test_a_mistyped_class_names_the_one_that_is_there():
    wanted = claim("Pending", spec={"volumeName": None, "storageClassName": "fasst"})
    there = thing("StorageClass", "fast", provisioner="ebs.csi.aws.com")
    said = event(wanted, "ProvisioningFailed", 'storageclass.storage.k8s.io "fasst" not found')
    found = await only(storage.check, case(wanted, there, events=[said]))
    assert (found.kind, "there is one named fast" in found.statement) == (
        "storage_class_missing",
        True,
    )


async def test_a_volume_that_does_not_grow_says_why():
    wanted = claim()
    said = event(wanted, "VolumeResizeFailed", "resize volume pv-1 failed: quota")
    found = await only(volumes.check, case(wanted, events=[said]))
    assert found.kind == "volume_expansion_stuck"
    assert "grow from 1Gi to 8Gi" in found.statement


async def test_a_file_system_that_waits_for_its_pod_for_long():
    condition = {"type": "FileSystemResizePending", "status": "True", "lastTransitionTime": ago(40)}
    assert await kinds(volumes.check, case(claim(conditions=[condition]))) == [
        "volume_expansion_stuck"
    ]


async def test_a_resize_of_this_moment_is_nothing():
    condition = {"type": "FileSystemResizePending", "status": "True", "lastTransitionTime": ago(1)}
    assert await kinds(volumes.check, case(claim(conditions=[condition]))) == []


async def test_a_volume_that_failed():
    volume = thing(
        "PersistentVolume", "pv-1", spec={}, status={"phase": "Failed", "message": "no such disk"}
    )
    found = await only(volumes.check, case(claim(have="8Gi"), volume))
    assert "no such disk" in found.statement


async def test_who_holds_a_volume_on_another_node_is_named():
    broken = pod(states=[waiting("ContainerCreating")], phase="Pending", spec=MOUNT)
    holder = pod("web-old-1", spec={**MOUNT, "nodeName": "worker-2"}, ready=True)
    said = event(
        broken,
        "FailedAttachVolume",
        'Multi-Attach error for volume "pv-1" already used by pod(s) web-old-1',
    )
    found = await only(volumes.check, case(*web(), broken, holder, events=[said]))
    assert (found.kind, found.details["holder"]) == ("multi_attach", "web-old-1")
    assert "web-old-1 on worker-2 holds it" in found.statement
