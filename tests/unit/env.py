"""Options, plans, runs and logs for the unit tests, made as the product makes a user's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mrunners.plan.options import AdvancedOptions, RunOptions
from mrunners.plan.plan import RunPlan
from mrunners.plan.planning import PlannedRun, plan_run
from mrunners.profiles.loading import LoadedRunner, parse_runners
from mrunners.profiles.rendering import profile_digest, render_profile
from mrunners.run.create import create_jobs, start_run
from mrunners.run.lookup import ExistingRun, get_run_or_none
from mrunners.run.preflight import RunAction
from mrunners.run.report_store import ReportAddress
from tests.factories import begin_line, body_of, end_line, flat, folded, printed
from tests.fakes import FakeCluster, RecordingObserver
from tests.unit.profiles.one_document import parse_profile

IMAGE = "ghcr.io/azure/kperf:0.3.5"
RUN_ID = "646468fe-74a1-5a68-9cfc-e3e3f62132eb"  # of the key "key"
REPORT = printed(flat())

PROFILE = """\
version: 1
description: "{description}"
spec:
  rate: {rate}
  {limit}
  conns: 1
  client: 1
  contentType: json
  requests:
  - shares: 1
    staleList: {{version: v1, resource: namespaces}}
"""


def profile(description: str = "", *, rate: int = 10, limit: str = "total: 100") -> str:
    return PROFILE.format(description=description, rate=rate, limit=limit)


def loaded(uri: str, text: str | None = None) -> LoadedRunner:
    parsed = parse_profile(profile() if text is None else text)
    rendered = render_profile(parsed.profile)
    spec = parse_runners([uri])[0]
    return LoadedRunner(
        spec=spec,
        pod_count=spec.pod_count or 1,
        profile=parsed.profile,
        rendered=rendered,
        digest=profile_digest(rendered),
        warnings=parsed.warnings,
    )


def uris(*pod_counts: int) -> tuple[str, ...]:
    return tuple(
        f"file:///load/{index}.yaml?numbers={count}" for index, count in enumerate(pod_counts)
    )


def options(**changes: object) -> RunOptions:
    advanced = {name: changes.pop(name) for name in AdvancedOptions.model_fields if name in changes}
    basic = {"namespace": "load", "runner_image": IMAGE, "runners": uris(2, 1), **changes}
    return RunOptions.model_validate({**basic, "advanced": advanced})


def planned(*pod_counts: int, key: str = "key", **changes: object) -> PlannedRun:
    """Plan a run with one runner per pod count, and one load profile for all; by default 2, 1."""
    requested = options(runners=uris(*(pod_counts or (2, 1))), **changes)
    return plan_run(requested, [loaded(uri) for uri in requested.runners], run_key=key)


def deploy(cluster: FakeCluster, run: PlannedRun, *, jobs: int | None = None) -> ExistingRun:
    """Create the run as the product does; with `jobs`, as if it was stopped after so many Jobs."""
    observer = RecordingObserver()
    started = start_run(cluster, RunAction(run), observer)
    create_jobs(cluster, started, run.plan.jobs[:jobs], observer)
    return find(cluster, run.plan)


def address(run: ExistingRun, job: str, index: int) -> ReportAddress:
    """Return where the store keeps a pod's report."""
    return ReportAddress.of(run.stored, job, index)


def find(cluster: FakeCluster, plan: RunPlan) -> ExistingRun:
    run = get_run_or_none(cluster, plan.ref)
    assert run is not None
    return run


def finish(
    cluster: FakeCluster, plan: RunPlan, logs: Mapping[tuple[str, int], bytes] | None = None
) -> None:
    """Let every pod of a run succeed and every Job complete; `logs` by Job and index."""
    for job in plan.jobs:
        for index in range(job.pod_count):
            log = log_of(plan, job.name, index) if logs is None else logs[job.name, index]
            cluster.end_pod(job.name, index, log=log)
        cluster.finish_job(job.name)


def log_of(plan: RunPlan, job: str, index: int, raw: bytes = REPORT) -> bytes:
    """Return the framed log of a pod that FakeCluster created."""
    address = {"run": plan.run_id, "job": job, "index": index}
    body = body_of(raw)
    begin = begin_line(raw, body, **address, pod=f"{job}-{index}-abcde")
    return b"\n".join([b"", begin, *folded(body), end_line(raw, **address), b""])


def write_profile(folder: Path, text: str | None = None) -> str:
    """Write a load profile, and return its runner URI with two pods."""
    path = folder / "load.yaml"
    path.write_text(profile() if text is None else text)
    return f"file://{path}?numbers=2"
