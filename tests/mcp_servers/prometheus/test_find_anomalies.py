from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from prometheus_bed import BEGAN, NOW, ONSET, SPELL

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.prometheus.anomalies import change, rate, robust_z, split
from mcp_servers.prometheus.changes import affordable

pytestmark = pytest.mark.anyio
WINDOW = {"start": NOW - timedelta(minutes=30), "end": NOW}


def about(text, moment, minutes=2):
    return abs(datetime.fromisoformat(text) - moment) <= timedelta(minutes=minutes)


async def test_what_changed_is_found_with_its_onset_and_direction(shop_tools):
    answer = await shop_tools["find_anomalies"](**WINDOW)
    by_name = {(one.metric, one.labels.get("code")): one for one in answer.data.anomalies}
    errors = by_name["http_requests_total", "500"]
    assert about(errors.onset, ONSET)
    assert (errors.direction, errors.before) == ("up", 0)
    assert errors.during == pytest.approx(2, rel=0.05)
    memory = by_name["container_memory_working_set_bytes", None]
    assert about(memory.onset, ONSET, minutes=1)
    assert answer.data.examined > 10


async def test_steady_and_noisy_series_are_not_reported(shop_tools):
    answer = await shop_tools["find_anomalies"](**WINDOW, limit=100)
    names = {one.metric for one in answer.data.anomalies}
    assert not names & {"level", "wobble", "ALERTS"}
    assert not any(name.endswith("_bucket") for name in names)
    assert not any(one.labels.get("service") == "cart" for one in answer.data.anomalies)


async def test_a_histogram_is_judged_by_its_mean(shop_tools):
    answer = await shop_tools["find_anomalies"](**WINDOW, match='{service="checkout"}')
    mean = next(
        one for one in answer.data.anomalies if one.metric == "http_request_duration_seconds"
    )
    assert (mean.before, mean.during) == (pytest.approx(0.04), pytest.approx(1.6, rel=0.05))
    shown = await shop_tools["query"](mean.query)
    assert shown.data.series[0].value == pytest.approx(1.6, rel=0.05)


async def test_a_spell_that_passed_is_found_in_its_own_window_only(shop_tools):
    then = {"start": SPELL[0] - timedelta(minutes=5), "end": SPELL[1] + timedelta(minutes=20)}
    found = await shop_tools["find_anomalies"](**then, match="queue_depth")
    (spell,) = found.data.anomalies
    assert about(spell.onset, SPELL[0], minutes=1)
    assert (spell.before, spell.during) == (3, 900)
    later = await shop_tools["find_anomalies"](**WINDOW, match="queue_depth")
    assert (later.status, later.data.examined) == (Status.EMPTY, 1)


async def test_the_strongest_come_first_and_a_cut_tells_the_total(shop_tools):
    everything = await shop_tools["find_anomalies"](**WINDOW, limit=100)
    strengths = [one.strength for one in everything.data.anomalies]
    assert strengths == sorted(strengths, reverse=True)
    one = await shop_tools["find_anomalies"](**WINDOW, limit=1)
    assert (one.truncated, one.total) == (True, len(strengths))


async def test_a_namespace_leaves_other_namespaces_out(shop_tools):
    answer = await shop_tools["find_anomalies"](**WINDOW, namespace="elsewhere")
    assert all("namespace" not in one.labels for one in answer.data.anomalies)


@pytest.mark.parametrize("match", ["rate(x[5m])", "a + b", "sum(x)", 'x{a="b"} or y{c="d"}'])
async def test_anything_but_a_selector_is_refused(shop_tools, match):
    with pytest.raises(ToolFailure):
        await shop_tools["find_anomalies"](**WINDOW, match=match)


async def test_a_window_without_data_says_so(shop_tools):
    past = {"start": BEGAN - timedelta(days=2), "end": BEGAN - timedelta(days=1)}
    answer = await shop_tools["find_anomalies"](**past)
    assert answer.status is Status.EMPTY
    assert "no series in this scope and window" in answer.reason


def test_metrics_with_many_series_are_left_out_last():
    assert affordable({"huge": 5000, "b": 10, "a": 10}) == (["a", "b"], ["huge"])


def test_a_constant_past_never_scores_infinity():
    assert robust_z(np.zeros(50), np.full(10, 8.0)) == pytest.approx(100)
    assert robust_z(np.full(50, 10.0), np.full(10, 10.0)) == 0


def test_one_failed_request_is_no_anomaly_but_a_burst_of_restarts_is():
    quiet = np.zeros(120)
    blip, burst = quiet.copy(), quiet.copy()
    blip[100:104] = 1 / 60
    burst[[80, 90, 95, 100, 105, 110, 115, 118]] = 1 / 15
    assert change(blip, 60, event_seconds=15) is None
    found = change(burst, 60, event_seconds=15)
    assert found is not None
    assert 75 <= found.row <= 95


def test_a_counter_that_is_reset_counts_on_from_zero():
    assert rate(np.array([10.0, 20.0, 5.0, 15.0]), 10.0, 1)[1:].tolist() == [1.0, 0.5, 1.0]


@given(
    some.integers(20, 100),
    some.integers(20, 100),
    some.floats(-1e6, 1e6),
    some.floats(1, 1e6),
)
def test_a_clean_step_is_found_at_its_row(before, after, level, rise):
    values = np.concatenate([np.full(before, level), np.full(after, level + rise)])
    assert split(values)[0] == before


@given(some.lists(some.floats(-1e9, 1e9), min_size=2, max_size=80), some.integers(0, 80))
def test_no_series_breaks_the_scan(values, first):
    found = change(np.array(values), first)
    assert found is None or 0 < found.row < len(values)
