from hypothesis import given
from hypothesis import strategies as st

from mrunners.names import dns_label_problem
from mrunners.plan.metadata import (
    MAX_JOB_NAME_LENGTH,
    job_name,
    run_selector,
    runner_selector,
    trackers_selector,
)
from mrunners.plan.option_table import TRACKER_LENGTH

TRACKERS = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,48}[a-z0-9])?", fullmatch=True)
INDEXES = st.integers(0, 999)

OURS = "app.kubernetes.io/managed-by=mrunners"
RUNNERS = f"{OURS},app.kubernetes.io/component=runner,mrunners.dev/tracker=night"


def test_the_selectors_match_only_objects_of_mrunners() -> None:
    assert run_selector("id") == f"{OURS},mrunners.dev/run-id=id"
    assert trackers_selector() == f"{OURS},app.kubernetes.io/component=tracker"
    assert runner_selector("night") == RUNNERS


def test_a_short_name_is_that_of_the_tracker_and_the_index() -> None:
    assert job_name("mrunners", 0) == "mrunners-0"
    assert job_name("n" * 48, 999) == "n" * 48 + "-999"


def test_a_long_name_is_cut_and_gets_a_hash() -> None:
    longest = "n" * TRACKER_LENGTH
    assert job_name(longest, 9) == longest + "-9"
    assert job_name(longest, 10) == "n" * 42 + "-7dd60b-10"


def test_a_cut_name_never_has_two_hyphens_in_a_row() -> None:
    assert job_name("n" * 41 + "-" + "n" * 8, 10) == "n" * 41 + "-20cd09-10"


@given(TRACKERS, INDEXES)
def test_every_name_is_a_dns_label_of_at_most_52_characters(tracker: str, index: int) -> None:
    assert dns_label_problem(job_name(tracker, index), max_length=MAX_JOB_NAME_LENGTH) is None


@given(TRACKERS, INDEXES, INDEXES)
def test_the_jobs_of_a_tracker_have_different_names(tracker: str, first: int, second: int) -> None:
    assert (job_name(tracker, first) == job_name(tracker, second)) == (first == second)


@given(st.lists(st.text("ab", min_size=6, max_size=6), min_size=2, max_size=2, unique=True))
def test_trackers_that_are_cut_at_the_same_point_have_different_job_names(tails: list[str]) -> None:
    first, second = (f"{'n' * (TRACKER_LENGTH - 6)}{tail}" for tail in tails)
    assert job_name(first, 100) != job_name(second, 100)
