"""The model by itself: lives of containers, traffic along calls, and sparse samples."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.cases import lifecycle, noise, troubles
from eval.cases.kubernetes_objects import draw
from eval.cases.samples import SLOW_STEP, seldom
from eval.cases.shop import Setting, healthy_shop
from eval.cases.system import Effect
from eval.cases.traffic import flow

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


@pytest.fixture
def shop():
    return healthy_shop(Setting("test", "pw-test", NOW))


def test_a_healthy_shop_has_every_pod_ready_and_no_warning(shop):
    assert all(pod.ready(NOW) for pod in shop.pods)
    items = draw(shop)["items"]
    assert not [i for i in items if i["kind"] == "Event" and i["type"] == "Warning"]
    for item in items:
        if item["kind"] == "Deployment":
            reasons = {c["reason"] for c in item["status"]["conditions"]}
            assert reasons == {"MinimumReplicasAvailable", "NewReplicaSetAvailable"}


def test_a_killed_container_keeps_how_it_ended_and_counts_its_restart(shop):
    pod = shop.pods_of("routes")[0]
    at = shop.ago(minutes=9)
    lifecycle.end_run(pod, at, "OOMKilled", 137)
    lifecycle.restart(pod, at + timedelta(seconds=2))
    assert pod.main.restarts(NOW) == 1
    assert pod.main.last_state(NOW)["terminated"]["reason"] == "OOMKilled"
    assert not pod.ready(at + timedelta(seconds=3))
    assert pod.ready(NOW)


def test_a_service_without_ready_pods_fails_its_callers_and_theirs(shop):
    troubles.restarts_without_key(shop, "tariffs", ("password", "tariffs-db"), shop.ago(minutes=10))
    known = flow(shop)
    before, after = known.index(shop.ago(minutes=30)), known.index(NOW)
    assert not known.reachable("tariffs", after)
    assert known.failed["quotes"][before] < 0.01
    assert known.failed["quotes"][after] > 0.99
    assert 0.4 < known.failed["portal"][after] < 0.6
    assert known.failed["tracking"][after] < 0.01


def test_a_slow_callee_slows_its_callers_by_their_share_of_calls(shop):
    shop.affect("orders-db", "latency", 1.0, shop.ago(minutes=10))
    known = flow(shop)
    after = known.index(NOW)
    assert known.latency["parcels"][after] == pytest.approx(2.1, rel=0.2)
    assert known.latency["routes"][after] < 0.1


def test_an_image_that_is_not_there_leaves_the_old_pods_the_strategy_allows(shop):
    fresh = troubles.bad_image(shop, "portal", "registry.example/portal:9", shop.ago(minutes=5))
    assert len(fresh) == 1
    assert shop.ready_pods("portal", NOW) == 3
    assert fresh[0].main.turns[-1].state["waiting"]["reason"] == "ImagePullBackOff"


def test_an_image_without_a_tag_is_refused(shop):
    with pytest.raises(ValueError, match="names no tag"):
        troubles.bad_image(shop, "portal", "portal", shop.ago(minutes=5))


def test_a_reboot_restarts_what_ran_on_that_node_and_nothing_else(shop):
    noise.node_rebooted(shop, "worker-2", shop.ago(hours=50))
    for pod in shop.pods:
        assert pod.main.restarts(NOW) == int(pod.node == "worker-2")


def test_a_circle_of_calls_is_named(shop):
    shop.traffic["orders-db"].calls["portal"] = 1.0
    with pytest.raises(ValueError, match="circle"):
        flow(shop)


@given(
    seconds=st.integers(0, 3600),
    length=st.integers(1, 1800),
    ramp=st.floats(0.1, 600),
    amount=st.floats(0.01, 100),
)
def test_an_effect_stays_between_nothing_and_its_amount(seconds, length, ramp, amount):
    end = NOW + timedelta(seconds=length)
    effect = Effect("portal", "latency", amount, NOW, end, ramp)
    value = effect.at(NOW + timedelta(seconds=seconds))
    assert 0 <= value <= amount
    assert value == 0 or seconds <= length


@given(st.lists(st.integers(0, 3), min_size=1, max_size=80))
def test_sparse_samples_keep_every_change_and_no_gap_beyond_the_lookback(values):
    points = [(NOW + timedelta(minutes=n), float(v)) for n, v in enumerate(values)]
    kept = seldom(points)
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]
    changes = {point for a, point in pairwise(points) if a[1] != point[1]}
    assert changes <= set(kept)
    gaps = [b[0] - a[0] for a, b in pairwise(kept)]
    assert all(gap <= SLOW_STEP for gap in gaps)
