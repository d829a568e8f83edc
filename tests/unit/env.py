"""Runs for the tests to stand on: options, plans and logs, made as a user's would be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mrunners.plan.options import AdvancedOptions, RunOptions
from mrunners.plan.plan import RunPlan
from mrunners.plan.planning import PlannedRun, plan_run
from mrunners.profiles.loading import LoadedRunner, parse_runners
from mrunners.profiles.parsing import parse_profile
from mrunners.profiles.rendering import profile_digest, render_profile
from mrunners.run.create import create_jobs, start_run
from mrunners.run.lookup import ExistingRun, get_run_or_none
from mrunners.run.preflight import RunAction
from tests.factories import begin_line, body_of, end_line, flat, folded, printed
from tests.fakes import FakeCluster, RecordingObserver

IMAGE = "ghcr.io/azure/kperf:0.3.5"
RUN_ID = "646468fe-74a1-5a68-9cfc-e3e3f62132eb"  # of the key "key"
REPORT = printed(flat())

PROFILE = """\
version: 1
description: "{words}"
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


def profile(words: str = "", *, rate: int = 10, limit: str = "total: 100") -> str:
    return PROFILE.format(words=words, rate=rate, limit=limit)


def loaded(uri: str, text: str | None = None) -> LoadedRunner:
    parsed = parse_profile(profile() if text is None else text)
    rendered = render_profile(parsed.profile)
    return LoadedRunner(
        spec=parse_runners([uri])[0],
        profile=parsed.profile,
        rendered=rendered,
        digest=profile_digest(rendered),
        warnings=parsed.warnings,
    )


def uris(*numbers: int) -> tuple[str, ...]:
    return tuple(f"file:///load/{at}.yaml?numbers={count}" for at, count in enumerate(numbers))


def options(**changes: object) -> RunOptions:
    advanced = {name: changes.pop(name) for name in AdvancedOptions.model_fields if name in changes}
    asked = {"namespace": "load", "runner_image": IMAGE, "runners": uris(2, 1), **changes}
    return RunOptions.model_validate({**asked, "advanced": advanced})


def planned(*numbers: int, key: str = "key", **changes: object) -> PlannedRun:
    """A run of one runner per number, with one profile for all."""
    asked = options(runners=uris(*(numbers or (2, 1))), **changes)
    return plan_run(asked, [loaded(uri) for uri in asked.runners], run_key=key)


def deploy(cluster: FakeCluster, run: PlannedRun) -> ExistingRun:
    """The run, created as `run` does."""
    observer = RecordingObserver()
    started = start_run(cluster, RunAction(run), observer)
    create_jobs(cluster, started, run.plan.jobs, observer)
    return find(cluster, run.plan)


def find(cluster: FakeCluster, plan: RunPlan) -> ExistingRun:
    run = get_run_or_none(cluster, plan.ref)
    assert run is not None
    return run


def finish(
    cluster: FakeCluster, plan: RunPlan, logs: Mapping[tuple[str, int], bytes] | None = None
) -> None:
    """Every pod of a run ends well, and every Job completes."""
    for job in plan.jobs:
        for index in range(job.pod_count):
            log = log_of(plan, job.name, index) if logs is None else logs[job.name, index]
            cluster.end_pod(job.name, index, log=log)
        cluster.finish_job(job.name)


def log_of(plan: RunPlan, job: str, index: int, raw: bytes = REPORT) -> bytes:
    """The framed log of a pod that FakeCluster made."""
    here = {"run": plan.run_id, "job": job, "index": index}
    body = body_of(raw)
    begin = begin_line(raw, body, **here, pod=f"{job}-{index}-abcde")
    return b"\n".join([b"", begin, *folded(body), end_line(raw, **here), b""])


def write_profile(folder: Path, text: str | None = None) -> str:
    """A `file:` URI of two pods that leads to a profile."""
    path = folder / "load.yaml"
    path.write_text(profile() if text is None else text)
    return f"file://{path}?numbers=2"
