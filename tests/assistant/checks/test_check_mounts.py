"""Pods that stay in ContainerCreating: mounts and sandboxes, by what they say."""

import pytest

from assistant.checks import mounts
from tests.assistant.checks.cluster import case, event, kinds, only, pod, state, waiting, web

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("reason", "message", "kind"),
    [
        ("FailedMount", "MountVolume.MountDevice failed: mount failed: exit status 32", "mount_failed"),
        ("FailedMount", "mount failed: exit status 32 mount.nfs: Connection timed out", "volume_server_unreachable"),
        ("FailedMount", "driver name efs.csi.aws.com not found in the list of registered CSI drivers", "volume_driver_missing"),
        ("FailedMount", "hostPath type check failed: /data is not a directory", "volume_path_missing"),
        ("FailedMount", "mount: wrong fs type, bad option, bad superblock on /dev/sdb", "volume_file_system_broken"),
        ("FailedMount", "mount.nfs: access denied by server while mounting", "volume_mount_permission_denied"),
        ("FailedCreatePodSandBox", "failed to assign an IP address to container", "pod_addresses_exhausted"),
        ("FailedCreatePodSandBox", "no IP addresses available in range set: 10.1.0.1-10.1.0.254", "pod_addresses_exhausted"),
        ("FailedCreatePodSandBox", 'RuntimeClass.node.k8s.io "gvisor" not found', "runtime_class_missing"),
        ("FailedCreatePodSandBox", "rpc error: code = Unknown desc = something", "sandbox_failed"),
    ],
)  # fmt: skip
async def test_a_pod_that_stays_in_creation_is_named_by_its_event(reason, message, kind):
    broken = pod(states=[waiting("ContainerCreating")], phase="Pending")
    found = await only(mounts.check, case(*web(), broken, events=[event(broken, reason, message)]))
    assert found.kind == kind
    assert "on worker-1" in found.statement


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("FailedMount", 'MountVolume.SetUp failed for volume "db" : secret "web-db" not found'),
        ("FailedAttachVolume", 'Multi-Attach error for volume "pvc-1"'),
    ],
)
async def test_what_another_check_names_is_not_told_twice(reason, message):
    broken = pod(states=[waiting("ContainerCreating")], phase="Pending")
    given = case(*web(), broken, events=[event(broken, reason, message)])
    assert await kinds(mounts.check, given) == []


async def test_a_mount_that_worked_at_the_second_try_is_nothing():
    running = pod(states=[state(ready=True)], ready=True)
    given = case(
        *web(), running, events=[event(running, "FailedMount", "exit status 32", minutes=19)]
    )
    assert await kinds(mounts.check, given) == []
