"""What a run asks of the API server grows with its Jobs and pods, and with nothing else.

Counted, not timed: a request per Job too many, or one more LIST of the pods, fails here.
"""

from collections import Counter
from pathlib import Path

import pytest

from mrunners.plan.planning import PlannedRun
from mrunners.reports.merged import MergedReport
from mrunners.run.report_store import ReportStore
from mrunners.run.result import collect_run
from mrunners.run.wait import wait_for_run
from tests.fakes import FakeCluster, RecordingObserver
from tests.unit.env import deploy, find, log_of, planned

PODS = 2

# Whatever the number of Jobs.
CONSTANT = Counter(
    {
        "create_config_map": 1,
        # The first Job, before the tracker exists, and then what a policy makes of it.
        "dry_run_job": 2,
        "dry_run_pod": 1,
        # What is left of a former run; before and after the creation; five polls; twice at the end.
        "list_jobs": 10,
        # Left of a former run; the first poll, the start, two polls that saw pods end, the end.
        "list_pods": 6,
        "list_warnings": 1,  # why pods have not started, at the first poll
        "get_config_map": 2,
        "server_version": 1,
        "count_nodes": 1,
        "annotate_config_map": 2,  # all Jobs are created; the report is collected
    }
)


def life(cluster: FakeCluster, run: PlannedRun, store: ReportStore) -> MergedReport:
    """Create a run, wait while one half of its pods ends after the other, and collect it."""
    observer = RecordingObserver()
    deploy(cluster, run)
    plan, clock = run.plan, cluster.clock

    def start() -> None:
        for job in plan.jobs:
            for index in range(PODS):
                cluster.start_pod(job.name, index)

    def end(half: int) -> None:
        for job in plan.jobs[half::2]:
            for index in range(PODS):
                cluster.end_pod(job.name, index, log=log_of(plan, job.name, index))
            cluster.finish_job(job.name)

    clock.then(start, lambda: None, lambda: end(0), lambda: end(1))
    existing = find(cluster, plan)
    wait_for_run(cluster, existing, store, observer, monotonic=clock.monotonic, sleep=clock.sleep)
    return collect_run(cluster, existing, store, observer, sleep=clock.sleep).report


def grown(jobs: int, folder: Path) -> FakeCluster:
    cluster = FakeCluster()
    report = life(cluster, planned(*[PODS] * jobs), ReportStore(folder / str(jobs)))
    assert (report.coverage.merged, report.coverage.expected) == (PODS * jobs, PODS * jobs)
    # All but the annotation that the report was collected.
    assert report.requests_by_us == len(cluster.calls) - 1
    return cluster


@pytest.mark.parametrize("jobs", [5, 10, 20])
def test_there_is_one_request_for_each_job_and_each_log_and_a_constant_number_besides(
    jobs: int, tmp_path: Path
) -> None:
    calls = Counter(grown(jobs, tmp_path).calls)
    assert calls == CONSTANT + Counter({"create_job": jobs, "read_log": PODS * jobs})


def test_the_bytes_grow_with_the_number_of_jobs(tmp_path: Path) -> None:
    few, more, many = (grown(jobs, tmp_path).traffic for jobs in (5, 10, 20))
    for verb in ("create", "list", "get"):
        for direction in ("sent_bytes", "received_bytes"):
            of_few, of_more, of_many = (
                getattr(traffic[verb], direction) for traffic in (few, more, many)
            )
            # A name may have one more digit.
            assert of_many - of_more <= 2.02 * (of_more - of_few)
