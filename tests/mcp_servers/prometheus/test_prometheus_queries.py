from datetime import timedelta

import pytest
from prometheus_bed import BEGAN, NOW, SPELL

from mcp_servers.answer import Status, ToolFailure

pytestmark = pytest.mark.anyio


async def test_an_instant_query_answers_at_the_injected_now(shop_tools):
    answer = await shop_tools["query"]("level")
    assert answer.status is Status.OK
    (sample,) = answer.data.series
    assert (sample.value, sample.time) == (7, "2026-03-01T14:00:00Z")
    assert sample.labels["queue"] == "mail"


async def test_a_scalar_and_words_for_what_is_no_number_are_answers(shop_tools):
    assert (await shop_tools["query"]("1+1")).data.result_type == "scalar"
    assert (await shop_tools["query"]("vector(0)/0")).data.series[0].value == "NaN"


async def test_nothing_there_is_empty_and_not_an_error(shop_tools):
    answer = await shop_tools["query"]("no_such_metric")
    assert (answer.status, answer.total) == (Status.EMPTY, 0)


async def test_a_promql_error_keeps_the_words_and_names_the_position(shop_tools):
    with pytest.raises(ToolFailure) as failure:
        await shop_tools["query"]("rate(http_requests_total[5m]) by (code)")
    assert failure.value.status is Status.ERROR
    assert "parse error: unexpected <by>" in failure.value.reason
    assert "HTTP 400" in failure.value.reason
    assert "character 31" in failure.value.suggestions[0]
    assert "'by (code)'" in failure.value.suggestions[0]


async def test_a_time_that_is_none_is_refused_in_words(shop_tools):
    with pytest.raises(ToolFailure, match="'yesterday' is not a point in time"):
        await shop_tools["query"]("up", time="yesterday")


async def test_thinning_keeps_the_spike_and_the_figures_of_all_points(shop_tools):
    answer = await shop_tools["query_range"]("queue_depth", start=BEGAN, end=NOW, max_points=10)
    (series,) = answer.data.series
    assert len(series.points) <= 10
    assert (series.min, series.max, series.last) == (3, 900, 3)
    spike = [at for at, value in series.points if value == 900]
    assert SPELL[0].timestamp() <= spike[0] < SPELL[1].timestamp()


async def test_the_last_point_of_a_range_is_its_end(shop_tools):
    end = NOW - timedelta(seconds=7)
    answer = await shop_tools["query_range"]("level", start=BEGAN, end=end, step_seconds=60)
    assert answer.data.series[0].points[-1][0] == end.timestamp()


async def test_too_many_series_are_cut_with_the_true_total(shop_tools):
    answer = await shop_tools["query_range"](
        "http_requests_total", start=BEGAN, end=NOW, max_series=1
    )
    assert (answer.total, answer.truncated, len(answer.data.series)) == (3, True, 1)
    assert answer.data.series[0].labels["service"] == "checkout"
    assert answer.data.series[0].labels["code"] == "200"


async def test_a_step_too_fine_for_the_range_is_raised_and_said(shop_tools):
    answer = await shop_tools["query_range"](
        "level", start=NOW - timedelta(days=6), end=NOW, step_seconds=1
    )
    assert answer.data.step_seconds == 48
    assert "step raised from 1 to 48 s" in answer.reason


async def test_a_range_longer_than_allowed_is_refused_before_it_is_asked(shop_tools):
    with pytest.raises(ToolFailure, match="longer than 7 days") as failure:
        await shop_tools["query_range"]("level", start=NOW - timedelta(days=8), end=NOW)
    assert failure.value.status is Status.LIMITED


async def test_a_window_that_runs_backwards_is_refused(shop_tools):
    with pytest.raises(ToolFailure, match="ends before it begins"):
        await shop_tools["query_range"]("level", start=NOW, end=BEGAN)


async def test_a_range_of_a_scalar_is_one_series(shop_tools):
    answer = await shop_tools["query_range"]("time()", start=BEGAN, end=NOW)
    assert answer.data.series[0].trend == "steady"
    assert answer.data.series[0].last == NOW.timestamp()
