from operator import attrgetter

import pytest

from mrunners_tasks._batching import batches
from tests.unit.env import planned

NAME = attrgetter("name")
JOBS = planned(*[1] * 101).plan.jobs


@pytest.mark.parametrize("count", [0, 1, 20])
def test_up_to_20_jobs_have_a_task_each(count: int) -> None:
    assert list(batches(JOBS[:count], NAME)) == [(job.name, (job,)) for job in JOBS[:count]]


def test_more_jobs_share_tasks_by_50() -> None:
    parts = list(batches(JOBS, NAME))
    assert [(label, len(part)) for label, part in parts] == [
        ("mrunners-0 to mrunners-49", 50),
        ("mrunners-50 to mrunners-99", 50),
        ("mrunners-100", 1),
    ]
    assert [job for _, part in parts for job in part] == list(JOBS)
