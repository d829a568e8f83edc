from operator import attrgetter

import pytest

from mrunners_tasks._batching import batches
from tests.unit.env import planned

NAME = attrgetter("name")
JOBS = planned(*[1] * 101).plan.jobs


@pytest.mark.parametrize("count", [0, 1, 20])
def test_up_to_20_jobs_get_one_task_each(count: int) -> None:
    assert list(batches(JOBS[:count], NAME)) == [(job.name, (job,)) for job in JOBS[:count]]


def test_more_jobs_share_tasks_in_batches_of_50() -> None:
    labeled = list(batches(JOBS, NAME))
    assert [(label, len(batch)) for label, batch in labeled] == [
        ("mrunners-0 to mrunners-49", 50),
        ("mrunners-50 to mrunners-99", 50),
        ("mrunners-100", 1),
    ]
    assert [job for _, batch in labeled for job in batch] == list(JOBS)
