from __future__ import annotations

import math
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.incident import Series
from assistant.report.charts import BLOCKS, GAP, finite, onset_column, sparkline, svg, thin
from tests.assistant.report.ledger_incident import ERROR_SERIES, MEMORY_SERIES, METRICS, at
from tests.assistant.report.samples import HOSTILE


def series(values, *, unit="", onset=None, step=60) -> Series:
    start = at("02:00")
    points = tuple((start + timedelta(seconds=step * i), v) for i, v in enumerate(values))
    return Series(
        title="t", unit=unit, points=points, onset=onset, citations=(METRICS.cite_absence(),)
    )


def well_formed(drawn: str) -> bool:
    return ET.fromstring(drawn).tag == "svg"  # noqa: S314 - our own drawing


def test_low_is_low_and_high_is_high() -> None:
    assert sparkline(series([0, 1, 2, 3, 4, 5, 6, 7])) == BLOCKS


def test_a_constant_series_is_a_level_line_and_zero_lies_on_the_ground() -> None:
    assert set(sparkline(series([5.0] * 10))) == {BLOCKS[4]}
    assert set(sparkline(series([0.0] * 10))) == {BLOCKS[0]}


def test_a_hole_in_time_stays_a_gap() -> None:
    assert GAP in sparkline(MEMORY_SERIES)
    assert svg(MEMORY_SERIES).count("M") > svg(ERROR_SERIES).count("M")


def test_samples_that_are_no_numbers_are_not_drawn() -> None:
    holes = series([1.0, 1.0, math.nan, math.nan, math.nan, math.nan, math.inf, 1.0, 1.0, 1.0])
    assert len(finite(holes)) == 5
    assert GAP in sparkline(holes)
    assert "nan" not in svg(holes)
    assert "inf" not in svg(holes)


@pytest.mark.parametrize("nothing", [[], [math.nan] * 3])
def test_no_samples_draw_nothing(nothing) -> None:
    assert sparkline(series(nothing)) == ""
    assert svg(series(nothing)) == ""
    assert onset_column(series(nothing, onset=at("02:00"))) is None


def test_one_sample_is_a_dot() -> None:
    assert "<circle" in svg(series([3.0]))


def test_a_peak_of_one_sample_survives_thinning() -> None:
    values = [1.0] * 5000
    values[2345] = 100.0
    assert BLOCKS[-1] in sparkline(series(values), 40)
    assert 100.0 in [value for _, value in thin(finite(series(values)), 320)]
    assert len(thin(finite(series(values)), 320)) <= 320


def test_the_onset_stands_under_the_first_risen_sample() -> None:
    column = onset_column(ERROR_SERIES, 49)
    assert column is not None
    drawn = sparkline(ERROR_SERIES, 49)
    assert drawn[column] in "▆▇█"
    assert drawn[column - 1] == "▁"


def test_an_onset_outside_the_window_is_not_drawn() -> None:
    outside = series([1.0, 2.0], onset=at("05:00"))
    assert onset_column(outside) is None
    assert 'class="onset"' not in svg(outside)


def test_the_axis_names_values_with_their_unit() -> None:
    assert "MiB</text>" in svg(MEMORY_SERIES)
    assert "%</text>" in svg(ERROR_SERIES)


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=60),
    st.text(max_size=20),
    st.integers(1, 50),
)
@example([1.7976931348623157e308, -9.9792015476736e291], "", 2)
def test_any_numbers_make_a_well_formed_drawing_of_bounded_width(values, unit, width) -> None:
    one = series(values, unit=unit, onset=at("02:03"))
    assert len(sparkline(one, width)) <= width
    drawn = svg(one)
    assert not drawn or well_formed(drawn)


def test_hostile_titles_make_well_formed_drawings() -> None:
    assert all(well_formed(svg(one)) for one in HOSTILE.series)
