"""A column answers the same from memory and from a file."""

from __future__ import annotations

import math
import pickle
from bisect import bisect_right

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.reports.latency_column import BOUNDS, LatencyColumn
from tests.unit.reports.memory_file import MemorySampleFile

SAMPLES = st.lists(
    st.floats(0, 1e9) | st.floats(1e-4, 10) | st.sampled_from([0.0, *BOUNDS[:3], BOUNDS[-1]])
).map(sorted)


def columns(samples: list[float]) -> tuple[LatencyColumn, LatencyColumn]:
    file = MemorySampleFile()
    file.append(np.zeros(3))
    spilled = LatencyColumn.of(samples)
    spilled.spill(file)
    return LatencyColumn.of(samples), spilled


@given(SAMPLES)
def test_what_a_merge_asks_of_a_column_is_what_its_samples_say(samples: list[float]) -> None:
    for column in columns(samples):
        assert (len(column), column.read().tolist()) == (len(samples), samples)
        assert column.sum == math.fsum(samples)
        if samples:
            assert (column.first, column.last) == (samples[0], samples[-1])
            assert column.at(len(samples) // 2) == samples[len(samples) // 2]
        ups = [bisect_right(samples, bound) for bound in BOUNDS]
        totals = np.ones(len(BOUNDS), dtype=np.int64)
        column.add_counts(totals)
        assert totals.tolist() == [count + 1 for count in ups]
        assert [column.ranks_between(bound) for bound in range(len(BOUNDS) + 1)] == list(
            zip([0, *ups], [*ups, len(samples)], strict=True)
        )


@given(SAMPLES, SAMPLES)
def test_columns_are_equal_when_their_samples_are(one: list[float], other: list[float]) -> None:
    (memory, spilled), (another, _) = columns(one), columns(other)
    assert memory == spilled
    assert (memory == another) == (one == other)
    assert memory != one


def test_a_spilled_column_can_be_sent_to_another_process() -> None:
    memory, spilled = columns([0.1, 0.2])
    assert pickle.loads(pickle.dumps(spilled)) == pickle.loads(pickle.dumps(memory)) == memory
    assert repr(spilled) == "LatencyColumn(2 samples from 0.1 to 0.2)"


def test_a_column_that_cannot_be_written_stays_in_memory() -> None:
    class FullFile(MemorySampleFile):
        def append(self, seconds: object) -> int:
            raise OSError(28, "No space left on device")

    column = LatencyColumn.of([0.1, 0.2])
    with pytest.raises(OSError, match="No space left"):
        column.spill(FullFile())
    assert column.read().tolist() == [0.1, 0.2]
