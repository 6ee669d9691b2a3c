from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.lab.kubernetes.selectors import label_test
from eval.lab.kubernetes.status import Refusal
from eval.lab.kubernetes.store import Store
from eval.lab.lab import Lab, serve
from eval.lab.world import World
from tests.lab.small_world import ask, pod

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lab(world: World) -> AsyncIterator[Lab]:
    async with serve(world, backends=("kubernetes",)) as lab:
        yield lab


def names(response: httpx2.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [item["metadata"]["name"] for item in response.json()["items"]]


async def test_a_kind_is_listed_in_all_namespaces_or_in_one(lab: Lab) -> None:
    assert names(await ask(lab, "/api/v1/pods")) == ["cart-1", "cart-2", "mail-1", "tool-1"]
    assert names(await ask(lab, "/api/v1/namespaces/ops/pods")) == ["tool-1"]
    listed = (await ask(lab, "/apis/apps/v1/namespaces/shop/deployments")).json()
    assert (listed["kind"], listed["apiVersion"]) == ("DeploymentList", "apps/v1")


async def test_a_namespace_that_is_gone_lists_nothing_and_is_not_found(lab: Lab) -> None:
    assert names(await ask(lab, "/api/v1/namespaces/gone/pods")) == []
    assert (await ask(lab, "/api/v1/namespaces/gone")).json()["reason"] == "NotFound"


async def test_a_built_in_kind_that_the_world_lacks_is_an_empty_list(lab: Lab) -> None:
    assert names(await ask(lab, "/apis/autoscaling/v2/horizontalpodautoscalers")) == []


async def test_a_group_that_the_world_lacks_is_a_plain_404(lab: Lab) -> None:
    response = await ask(lab, "/apis/metrics.k8s.io/v1beta1/nodes")
    assert (response.status_code, response.text) == (404, "404 page not found\n")


async def test_namespaces_are_listed_though_the_world_holds_no_such_object(lab: Lab) -> None:
    assert names(await ask(lab, "/api/v1/namespaces")) == ["ops", "shop"]


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("app=cart", ["cart-1", "cart-2"]),
        ("app==cart,tier!=back", ["cart-1"]),
        ("app in (cart, mail),tier notin (back)", ["cart-1", "mail-1"]),
        ("tier", ["cart-1", "cart-2"]),
        ("!app", ["tool-1"]),
    ],
)
async def test_label_selectors(lab: Lab, selector: str, found: list[str]) -> None:
    assert names(await ask(lab, "/api/v1/pods", labelSelector=selector)) == found


@pytest.mark.parametrize(
    ("path", "selector", "found"),
    [
        ("pods", "metadata.name=cart-1", ["cart-1"]),
        ("pods", "status.phase!=Running", ["mail-1"]),
        ("pods", "spec.nodeName=node-1,metadata.namespace=ops", ["tool-1"]),
        ("events", "involvedObject.name=cart-1,type=Warning", ["e1", "e3", "e5"]),
        ("events", "reason=Pulled", ["e0", "e2", "e4", "e6"]),
        ("nodes", "spec.unschedulable=false", ["node-1"]),
        ("secrets", "type=Opaque", ["keys"]),
    ],
)
async def test_field_selectors(lab: Lab, path: str, selector: str, found: list[str]) -> None:
    assert names(await ask(lab, f"/api/v1/{path}", fieldSelector=selector)) == found


async def test_selectors_that_make_no_sense_are_refused_in_the_servers_words(lab: Lab) -> None:
    field = (await ask(lab, "/api/v1/pods", fieldSelector="spec.color=red")).json()
    assert field["code"] == 400
    assert field["message"] == (
        'Unable to find "/v1, Resource=pods" that match label selector "", '
        'field selector "spec.color=red": field label not supported: spec.color'
    )
    label = (await ask(lab, "/api/v1/pods", labelSelector="app in cart")).json()
    assert (label["code"], label["reason"]) == (400, "BadRequest")


async def test_a_list_is_read_page_by_page_with_the_number_that_remains(lab: Lab) -> None:
    first = (await ask(lab, "/api/v1/events", limit=3)).json()
    assert len(first["items"]) == 3
    assert first["metadata"]["remainingItemCount"] == 4
    rest = await ask(lab, "/api/v1/events", limit=10, **{"continue": first["metadata"]["continue"]})
    assert names(rest) == ["e3", "e4", "e5", "e6"]
    assert set(rest.json()["metadata"]) == {"resourceVersion"}


async def test_a_selected_list_does_not_tell_how_many_remain(lab: Lab) -> None:
    metadata = (await ask(lab, "/api/v1/pods", limit=1, labelSelector="app")).json()["metadata"]
    assert "continue" in metadata
    assert "remainingItemCount" not in metadata


async def test_an_expired_page_is_gone_and_a_made_up_one_refused(lab: Lab) -> None:
    token = (await ask(lab, "/api/v1/events", limit=3)).json()["metadata"]["continue"]
    lab.expire_pages()
    gone = (await ask(lab, "/api/v1/events", limit=3, **{"continue": token})).json()
    assert (gone["code"], gone["reason"]) == (410, "Expired")
    made_up = (await ask(lab, "/api/v1/events", **{"continue": "???"})).json()
    assert (made_up["code"], made_up["reason"]) == (400, "BadRequest")


async def test_what_is_not_there_is_a_404_that_names_it(lab: Lab) -> None:
    body = (await ask(lab, "/apis/apps/v1/namespaces/shop/deployments/nope")).json()
    assert (body["code"], body["message"]) == (404, 'deployments.apps "nope" not found')
    assert body["details"] == {"name": "nope", "group": "apps", "kind": "deployments"}


async def test_what_is_denied_is_a_403_that_names_user_verb_and_place(lab: Lab) -> None:
    lab.deny("list", "secrets")
    lab.deny("get", "pods/log", "ops")
    body = (await ask(lab, "/api/v1/secrets")).json()
    assert (body["code"], body["reason"]) == (403, "Forbidden")
    assert body["message"] == (
        'secrets is forbidden: User "lab" cannot list resource "secrets" in API group "" '
        "at the cluster scope"
    )
    log = (await ask(lab, "/api/v1/namespaces/ops/pods/tool-1/log")).json()
    assert log["message"] == (
        'pods "tool-1" is forbidden: User "lab" cannot get resource "pods/log" in API group "" '
        'in the namespace "ops"'
    )
    assert names(await ask(lab, "/api/v1/namespaces/ops/pods")) == ["tool-1"]


async def test_a_wrong_token_is_unauthorized(lab: Lab) -> None:
    async with httpx2.AsyncClient(headers={"Authorization": "Bearer expired"}) as client:
        response = await client.get(lab.urls["kubernetes"] + "/api/v1/pods")
    assert (response.status_code, response.json()["reason"]) == (401, "Unauthorized")


async def test_writes_are_forbidden(lab: Lab) -> None:
    async with httpx2.AsyncClient(base_url=lab.urls["kubernetes"]) as client:
        deleted = await client.delete("/api/v1/namespaces/shop/pods/cart-1")
        patched = await client.patch("/apis/apps/v1/namespaces/shop/deployments/cart", json={})
    assert (deleted.status_code, patched.status_code) == (403, 403)
    assert 'cannot delete resource "pods"' in deleted.json()["message"]
    assert "cart-1" in names(await ask(lab, "/api/v1/pods"))


async def test_the_user_can_ask_what_it_may_do(lab: Lab) -> None:
    lab.deny("list", "nodes")

    async def allowed(**asked: str) -> bool:
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        async with httpx2.AsyncClient(base_url=lab.urls["kubernetes"]) as client:
            answer = await client.post(path, json={"spec": {"resourceAttributes": asked}})
        assert answer.status_code == 201
        return bool(answer.json()["status"]["allowed"])

    assert await allowed(verb="list", resource="pods", namespace="shop")
    assert await allowed(verb="get", resource="pods", subresource="log", namespace="shop")
    assert not await allowed(verb="list", resource="nodes")
    assert not await allowed(verb="delete", resource="pods", namespace="shop")


async def test_discovery_tells_of_built_in_kinds_and_of_the_worlds_own(lab: Lab) -> None:
    groups = (await ask(lab, "/apis")).json()["groups"]
    assert {"apps", "acme.example"} <= {group["name"] for group in groups}
    odd = (await ask(lab, "/apis/acme.example/v1")).json()["resources"][0]
    assert (odd["name"], odd["kind"], odd["namespaced"]) == ("sprockets", "Sprocket", True)
    assert names(await ask(lab, "/apis/acme.example/v1/sprockets")) == ["odd"]
    assert (await ask(lab, "/apis/nobody.example")).status_code == 404


async def test_the_version_is_that_of_the_recorded_nodes(lab: Lab) -> None:
    body = (await ask(lab, "/version")).json()
    assert (body["gitVersion"], body["minor"]) == ("v1.29.4", "29")


async def test_a_watch_streams_what_is_there_and_ends_in_time(lab: Lab) -> None:
    url = lab.urls["kubernetes"] + "/api/v1/pods?watch=true&timeoutSeconds=0.05"
    async with httpx2.AsyncClient() as client, client.stream("GET", url) as response:
        lines = [line async for line in response.aiter_lines()]
    assert len(lines) == 4
    assert all('"ADDED"' in line for line in lines)


async def test_an_open_watch_does_not_keep_the_lab_from_closing(world: World) -> None:
    async with httpx2.AsyncClient() as client:
        with anyio.fail_after(5), pytest.raises(httpx2.TransportError):  # noqa: PT012 - while it streams
            async with serve(world, backends=("kubernetes",)) as lab:
                url = lab.urls["kubernetes"] + "/api/v1/pods?watch=true"
                async with client.stream("GET", url) as response:
                    lines = response.aiter_lines()
                    assert "ADDED" in await anext(lines)
                    await lab.misbehave("kubernetes", "down")
                    _ = [line async for line in lines]


async def test_an_object_without_status_spec_or_labels_is_served(world: World) -> None:
    bare = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bare", "namespace": "x"}}
    void = {**bare, "metadata": {"name": "void", "namespace": "x", "labels": None}, "status": None}
    small = World(id="w", as_of=world.as_of, objects=[bare, void])
    async with serve(small, backends=("kubernetes",)) as lab:
        found = await ask(lab, "/api/v1/pods", labelSelector="!a", fieldSelector="status.phase=")
        assert names(found) == ["bare", "void"]
        log = (await ask(lab, "/api/v1/namespaces/x/pods/bare/log")).json()
        assert log["message"] == "a container name must be specified for pod bare"


label = st.from_regex(r"[a-z]{1,3}", fullmatch=True)


@given(st.dictionaries(label, label, max_size=4), label, label)
def test_a_requirement_and_its_opposite_divide_all_objects(
    labels: dict[str, str], key: str, value: str
) -> None:
    item = pod("p", labels=labels)
    pairs = [
        (f"{key}={value}", f"{key}!={value}"),
        (f"{key} in ({value})", f"{key} notin ({value})"),
        (key, f"!{key}"),
    ]
    for one, other in pairs:
        chosen, rejected = label_test(one), label_test(other)
        assert chosen
        assert rejected
        assert chosen(item) is not rejected(item)


@given(st.text(max_size=30))
def test_any_selector_is_read_or_refused(text: str) -> None:
    try:
        test = label_test(text)
    except Refusal as refusal:
        assert refusal.code == 400  # noqa: PT017 - the other way out is no exception
    else:
        assert test is None or test(pod("p")) in (True, False)


@given(st.integers(0, 40), st.integers(1, 15))
def test_pages_together_are_the_list(count: int, limit: int) -> None:
    store = Store([pod(f"p{number}") for number in range(count)])
    found = store.select(store.kinds["v1", "pods"], "")
    read, token = [], ""
    while True:
        page = store.page(found, limit, token, selected=False)
        read += page.items
        assert (page.remaining or 0) == count - len(read)
        token = page.next_token
        if not token:
            break
    assert read == list(found)
