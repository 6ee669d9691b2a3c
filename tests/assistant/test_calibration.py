"""The one place where raw scores become confidences."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.diagnosis.calibration import MEASURED, confidence

BENT = ((0.2, 0.0), (0.6, 0.5), (0.9, 0.98))


@pytest.mark.parametrize(
    ("score", "expected"), [(0.0, 0.0), (0.2, 0.0), (0.4, 0.25), (0.6, 0.5), (0.9, 0.98), (1, 0.98)]
)
def test_between_two_measured_points_it_is_a_straight_line(score, expected):
    assert confidence(score, BENT) == pytest.approx(expected)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_higher_score_is_never_less_believed(one, other):
    low, high = sorted((one, other))
    assert 0 <= confidence(low) <= confidence(high) <= 1
    assert confidence(low, BENT) <= confidence(high, BENT)


def test_the_measured_table_rises():
    assert all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(MEASURED))
