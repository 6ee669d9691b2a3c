"""Images: the registry's own words decide which fault it is."""

import pytest

from assistant.checks import images
from tests.assistant.checks.cluster import (
    case,
    container,
    event,
    only,
    pod,
    service,
    state,
    waiting,
    web,
)
from tests.assistant.checks.cluster import kinds as kinds_of

pytestmark = pytest.mark.anyio
IMAGE = "registry.example/shop/web:1.4.3"
PULL = f'Failed to pull image "{IMAGE}": '
UNPACK = f'failed to pull and unpack image "{IMAGE}": failed to resolve reference "{IMAGE}": '


def stuck(words, reason="ImagePullBackOff", image=IMAGE, **fields):
    """A pod whose image is not pulled, and kubelet's event about it."""
    status = waiting(reason, f'Back-off pulling image "{image}"')
    broken = pod(
        "web-6d4b9-x2x7p", container(image=image), states=[status], phase="Pending", **fields
    )
    return [*web(), broken], [event(broken, "Failed", f"{words}")]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (f"{PULL}rpc error: code = NotFound desc = {UNPACK}{IMAGE}: not found", "incorrect_image_reference"),
        (f"{PULL}reading manifest 1.4.3 in registry.example/shop/web: manifest unknown", "incorrect_image_reference"),
        (f"{PULL}{UNPACK}failed to authorize: failed to fetch anonymous token: unexpected status from GET request"
         " to https://registry.example/token: 401 Unauthorized", "missing_image_pull_secret"),
        (f"{PULL}Error response from daemon: unauthorized: authentication required", "missing_image_pull_secret"),
        (f'{PULL}{UNPACK}failed to do request: Head "https://registry.example/v2/shop/web/manifests/1.4.3": dial tcp:'
         " lookup registry.example on 10.96.0.10:53: no such host", "image_registry_dns_failure"),
        (f"{PULL}failed to do request: dial tcp 192.0.2.7:443: i/o timeout", "image_registry_unreachable"),
        (f"{PULL}429 Too Many Requests - toomanyrequests: You have reached your pull rate limit", "image_rate_limited"),
        (f"{PULL}no match for platform in manifest: not found", "image_wrong_arch"),
    ],
)  # fmt: skip
async def test_a_pull_error_is_named_by_what_the_registry_said(words, kind):
    objects, events = stuck(words)
    found = await only(images.check, case(*objects, events=events))
    assert found.kind == kind
    assert str(found.entity) == "Deployment shop/web"
    assert found.details["image"] == IMAGE
    assert found.citations


async def test_an_image_that_may_not_be_pulled_needs_no_event():
    words = f'Container image "{IMAGE}" is not present with pull policy of Never'
    objects = [*web(), pod(states=[waiting("ErrImageNeverPull", words)], phase="Pending")]
    assert (await only(images.check, case(*objects))).kind == "image_never_pull"


DENIED = (
    f"{PULL}pull access denied for shop/web, repository does not exist or may require authorization:"
    " server message: insufficient_scope: authorization failed"
)


async def test_docker_hubs_denied_without_credentials_is_the_likelier_wrong_name():
    objects, events = stuck(DENIED, image="shop/web:1.4.3")
    found = await only(images.check, case(*objects, events=events))
    assert found.kind == "incorrect_image_reference"


async def test_docker_hubs_denied_beside_credentials_is_a_matter_of_the_pull_secret():
    spec = {"imagePullSecrets": [{"name": "hub"}]}
    objects, events = stuck(DENIED, image="shop/web:1.4.3", spec=spec)
    found = await only(images.check, case(*objects, events=events))
    assert found.kind == "missing_image_pull_secret"
    assert found.details["secret"] == "hub", "the Secret that it names was listed for and is absent"


async def test_two_pods_of_one_workload_are_one_finding():
    objects, events = stuck(f"{PULL}not found")
    twin = pod("web-6d4b9-zzzzz", container(image=IMAGE), states=[waiting("ErrImagePull", "x")])
    await only(images.check, case(*objects, twin, events=events))


async def test_a_pull_that_was_slow_and_succeeded_since_is_nothing():
    running = pod(states=[state(ready=True)], ready=True)
    events = [event(running, "Failed", f"{PULL}i/o timeout", minutes=18)]
    assert await kinds_of(images.check, case(*web(), running, service(), events=events)) == []
