import re

from hypothesis import given
from hypothesis import strategies as st

from mrunners_tasks.reports import artifact_key

NAMES = st.from_regex(r"[a-z0-9](?:[-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)


def test_names_that_read_alike_have_artifacts_of_their_own() -> None:
    assert artifact_key("a-b", "c", "jobs") != artifact_key("a", "b-c", "jobs")


@given(NAMES, NAMES, st.sampled_from(["jobs", "report"]))
def test_a_key_is_what_prefect_takes_and_says_what_it_is(
    namespace: str, tracker: str, what: str
) -> None:
    key = artifact_key(namespace, tracker, what)
    assert re.fullmatch(r"[a-z0-9-]+", key)
    assert key.startswith(f"mrunners-{namespace}-{tracker}-{what}-")
