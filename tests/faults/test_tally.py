"""The line with which `make test-faults` ends."""

from __future__ import annotations

from tests.faults.tally import Tally


def test_the_tallies_of_all_tests_are_one_line() -> None:
    matrix = Tally(fault_runs=311, faults=644)
    kills = Tally(kill_runs=104, kills=174)
    assert str(Tally.total([matrix, kills])) == (
        "faults: 311 runs, 644 faults met; kills: 104 runs, 174 kills; "
        "lost 0, twice 0, false success 0"
    )


def test_one_lost_report_is_a_flaw() -> None:
    assert Tally(fault_runs=1).flawless
    assert not Tally.total([Tally(fault_runs=1), Tally(lost=1)]).flawless
