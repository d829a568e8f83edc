from hypothesis import given
from hypothesis import strategies as st

from mrunners.names import dns_label_problem
from mrunners.plan.metadata import JOB_LENGTH, TRACKER_LENGTH, job_name

TRACKERS = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,48}[a-z0-9])?", fullmatch=True)
INDEXES = st.integers(0, 999)


def test_a_short_name_is_the_trackers_and_the_index() -> None:
    assert job_name("mrunners", 0) == "mrunners-0"
    assert job_name("n" * 48, 999) == "n" * 48 + "-999"


def test_a_long_name_is_cut_and_kept_apart_by_a_hash() -> None:
    longest = "n" * TRACKER_LENGTH
    assert job_name(longest, 9) == longest + "-9"
    assert job_name(longest, 10) == "n" * 42 + "-7dd60b-10"


def test_no_cut_leaves_two_hyphens_in_a_row() -> None:
    assert job_name("n" * 41 + "-" + "n" * 8, 10) == "n" * 41 + "-20cd09-10"


@given(TRACKERS, INDEXES)
def test_every_name_is_a_dns_label_of_at_most_52_characters(tracker: str, index: int) -> None:
    assert dns_label_problem(job_name(tracker, index), max_length=JOB_LENGTH) is None


@given(TRACKERS, INDEXES, INDEXES)
def test_the_jobs_of_a_tracker_have_different_names(tracker: str, one: int, other: int) -> None:
    assert (job_name(tracker, one) == job_name(tracker, other)) == (one == other)


@given(st.lists(st.text("ab", min_size=6, max_size=6), min_size=2, max_size=2, unique=True))
def test_trackers_that_are_cut_at_the_same_place_have_different_jobs(tails: list[str]) -> None:
    one, other = (f"{'n' * (TRACKER_LENGTH - 6)}{tail}" for tail in tails)
    assert job_name(one, 100) != job_name(other, 100)
