from collections.abc import Iterator

from mrunners.reports.budget import SampleBudget
from mrunners.reports.outcomes import MissingReason, PodOutcome
from mrunners_flows.collect import accepted
from tests.factories import flat, merged_pod

URL = "GET https://10.0.0.1:6443/version"


def pod(job: int, index: int) -> PodOutcome:
    return merged_pod(job, index, flat({URL: [0.1] * 4}))


def test_a_run_is_held_to_its_bounds_over_all_portions_while_they_come() -> None:
    asked: list[str] = []

    def parts() -> Iterator[list[PodOutcome]]:
        for job in range(3):
            asked.append(f"portion {job}")
            yield [pod(job, 0), pod(job, 1)]

    outcomes = accepted(parts(), SampleBudget(max_samples=12))
    assert [outcome.missing for outcome in outcomes] == [None] * 3 + [MissingReason.OVER_LIMIT] * 3
    assert asked == ["portion 0", "portion 1", "portion 2"]
