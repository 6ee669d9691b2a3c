"""What evidence shows of Kubernetes; absence says something only where a kind was listed whole."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.incident import Entity, Status
from assistant.snapshot import Snapshot, dig, listing, mapping, moment
from tests.assistant.checks.cluster import (
    deployment,
    event,
    evidence,
    pod,
    replica_set,
    snapshot,
    thing,
)


def listed(kind="Secret", items=(), **more):
    arguments = {"kind": kind, "namespace": "shop", **more.pop("arguments", {})}
    data = {"kind": kind, "items": list(items), "next_cursor": more.pop("next_cursor", "")}
    return evidence("kubernetes.list_resources", arguments, data, **more)


def test_a_kind_that_was_listed_whole_and_empty_can_be_cited_for_what_is_not_in_it():
    answer = listed(status=Status.EMPTY)
    seen = Snapshot.made_of([answer])
    assert seen.listed("Secret", "shop")
    assert seen.listing_of("Secret", "shop") == answer


@pytest.mark.parametrize(
    "partial",
    [
        {"arguments": {"label_selector": "app=web"}},
        {"arguments": {"name": "web"}},
        {"next_cursor": "more"},
        {"truncated": True},
        {"status": Status.DENIED},
        {"status": Status.TIMEOUT},
        {"status": Status.ERROR},
    ],
    ids=str,
)
def test_absence_says_nothing_where_a_kind_was_not_listed_whole(partial):
    seen = Snapshot.made_of([listed(**partial)])
    assert not seen.listed("Secret", "shop")
    assert seen.listing_of("Secret", "shop") is None


def test_a_cluster_wide_listing_counts_for_every_namespace():
    seen = Snapshot.made_of([listed("Namespace", arguments={"namespace": ""})])
    assert seen.listed("Namespace", "shop")


def test_another_namespace_was_not_listed():
    assert not Snapshot.made_of([listed()]).listed("Secret", "data")


def test_a_pod_belongs_to_the_workload_at_the_top():
    seen = snapshot(deployment(), replica_set(), pod())
    assert str(seen.owner(seen.of("Pod")[0]).entity) == "Deployment shop/web"
    assert [item.name for item in seen.pods_of(seen.of("Deployment")[0])] == ["web-6d4b9-x2x7p"]


def test_a_pod_whose_owner_was_not_seen_stands_for_itself():
    seen = snapshot(pod(), unread=["Deployment", "ReplicaSet"])
    assert seen.owner(seen.of("Pod")[0]).kind == "Pod"


def test_owners_that_own_each_other_do_not_hang():
    one = thing("ReplicaSet", "a", owner=("Deployment", "b"))
    other = thing("Deployment", "b", owner=("ReplicaSet", "a"))
    seen = snapshot(one, other)
    assert seen.owner(seen.of("ReplicaSet")[0]) is not None


def test_an_object_without_spec_status_or_labels_reads_as_empty():
    seen = snapshot({"kind": "Pod", "metadata": {"name": "bare", "namespace": "shop"}})
    bare = seen.find(Entity(kind="Pod", name="bare", namespace="shop"))
    assert (bare.spec, bare.status, bare.labels, bare.created) == ({}, {}, {}, None)
    assert bare.containers() == []
    assert bare.condition("Ready") == {}


def test_events_are_found_by_the_object_they_are_about():
    item = pod()
    seen = snapshot(item, events=[event(item, "BackOff", "again"), event(item, "Pulled", "ok")])
    found = seen.events_of(seen.of("Pod")[0], "BackOff")
    assert [row.message for row in found] == ["again"]
    assert found[0].cite().quote == "again"


@pytest.mark.parametrize(
    "text", ["", None, 5, "yesterday", "2026-03-14", "2026-03-14T02:26:00", "0"]
)
def test_what_is_no_moment_is_none(text):
    assert moment(text) is None


def test_a_moment_is_read_with_its_zone():
    at = datetime(2026, 3, 14, 2, 26, tzinfo=UTC)
    assert moment("2026-03-14T02:26:00Z") == moment("2026-03-14T03:26:00+01:00") == at


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(JSON, st.lists(st.sampled_from("abc"), max_size=3))
def test_digging_in_foreign_shapes_never_raises(value, path):
    dig(value, *path)
    assert isinstance(mapping(value, *path), dict)
    assert isinstance(listing(value, *path), list)
