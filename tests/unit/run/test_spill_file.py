"""Samples beyond the memory's bound go through a file, and the merged report is the same."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.reports.budget import SampleBudget
from mrunners.reports.merge import merge
from mrunners.reports.merged import to_json
from mrunners.reports.outcomes import MissingReason, PodOutcome
from mrunners.run.spill_file import SpillFile
from tests.factories import RUN, RUN_ID, flat, merged_pod

SECONDS = st.lists(st.floats(0, 1e9) | st.sampled_from([0.0, 0.001, 1.0])).map(sorted)
RUNS = st.lists(st.dictionaries(st.sampled_from("ABC"), SECONDS.filter(bool)), max_size=5)


def outcomes(pods: list[dict[str, list[float]]]) -> list[PodOutcome]:
    return [merged_pod(number % 2, number, flat(pod)) for number, pod in enumerate(pods)]


def open_files() -> set[str]:
    files = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            files.add(str(entry.readlink()))
        except OSError:
            continue  # that of the listing itself
    return files


@given(RUNS, st.integers(0, 20))
def test_a_merge_from_a_file_is_that_from_memory(
    pods: list[dict[str, list[float]]], in_memory: int
) -> None:
    budget = SampleBudget(SpillFile(Path("/proc/nothing")), max_samples_in_memory=in_memory)
    kept = list(budget.accept_all(outcomes(pods)))
    for raw in (False, True):
        expected = to_json(merge(RUN, RUN_ID, outcomes(pods), raw=raw))
        assert to_json(merge(RUN, RUN_ID, kept, raw=raw)) == expected


def test_only_what_is_beyond_the_bound_is_in_the_file(tmp_path: Path) -> None:
    file = SpillFile(tmp_path)
    budget = SampleBudget(file, max_samples_in_memory=4)
    pods = outcomes([{"A": [0.1, 0.2, 0.3]}, {"A": [0.4, 0.5]}, {"A": [0.6]}])
    assert list(budget.accept_all(pods)) == pods
    assert file.read(0, 2).tolist() == [0.4, 0.5]
    assert file.append(np.array([0.7])) == 2


def test_nothing_of_the_file_is_left(tmp_path: Path) -> None:
    before = open_files()
    file = SpillFile(tmp_path / "reports")
    assert list(tmp_path.iterdir()) == []
    file.append(np.array([0.1]))
    assert list((tmp_path / "reports").iterdir()) == []
    assert len(open_files() - before) == 1
    del file
    gc.collect()
    assert open_files() - before == set()


def test_a_folder_that_cannot_be_written_is_not_needed() -> None:
    file = SpillFile(Path("/proc/nothing"))
    assert file.append(np.array([0.1, 0.2])) == 0
    assert file.read(1, 1).tolist() == [0.2]


def test_writes_and_reads_may_be_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, read = os.pwrite, os.preadv
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: write(fd, data[:5], at))
    monkeypatch.setattr(os, "preadv", lambda fd, views, at: read(fd, [views[0][:3]], at))
    file = SpillFile(tmp_path)
    for position, samples in ((0, [0.1, 0.2]), (2, [0.3])):
        assert file.append(np.array(samples)) == position
        assert file.read(position, len(samples)).tolist() == samples


def test_a_file_that_was_cut_is_an_error(tmp_path: Path) -> None:
    file = SpillFile(tmp_path)
    file.append(np.array([0.1]))
    with pytest.raises(OSError, match="too short"):
        file.read(0, 2)


def test_a_report_that_fits_neither_into_memory_nor_on_the_disk_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int, data: object, at: int) -> int:
        raise OSError(28, "No space left on device")

    budget = SampleBudget(SpillFile(tmp_path), max_samples_in_memory=2)
    large, small = outcomes([{"A": [0.1, 0.2, 0.3]}, {"A": [0.4, 0.5]}])
    monkeypatch.setattr(os, "pwrite", full)
    refused = budget.accept(large)
    assert (refused.report, refused.missing) == (None, MissingReason.OVER_LIMIT)
    assert refused.detail == (
        "its 3 samples do not fit into memory, and there is no room for them on disk: "
        "No space left on device"
    )
    assert budget.accept(small) is small
