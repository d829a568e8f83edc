"""Sums over numpy arrays are those of `math.fsum`."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.reports.latency_column import exact_sum

SECONDS = (
    st.floats(0, 1e10)
    | st.floats(1e-3, 1)
    | st.floats(0, 1e-300)
    | st.sampled_from([0.0, -0.0, 5e-324, 2.2250738585072014e-308, 0.1, 1.0])
)


@given(st.lists(SECONDS).map(sorted))
def test_a_sum_is_rounded_once_as_fsum_does(samples: list[float]) -> None:
    assert exact_sum(np.array(samples, dtype=np.float64)) == math.fsum(samples)


@pytest.mark.parametrize("value", [0.1, 1 - 2**-53, 1.0, 9e9])
def test_the_sum_of_many_equal_samples_is_exact(value: float) -> None:
    assert exact_sum(np.full(300_000, value)) == math.fsum([value] * 300_000)
