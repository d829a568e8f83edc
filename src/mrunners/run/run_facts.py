"""Gathers what plan, tracker and cluster know of a run, for its report.

None of it is worth a run's report: what cannot be read in a moment is left out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress

from mrunners.durations import format_duration
from mrunners.errors import ClusterError
from mrunners.kube.api import Cluster
from mrunners.kube.retry import request_deadline
from mrunners.plan.metadata import profiles_selector
from mrunners.plan.plan import RunPlan
from mrunners.plan.pod_fit import metadata_of
from mrunners.plan.pod_option_rows import POD_ROWS
from mrunners.plan.tracker import profile_key
from mrunners.profiles.images import release_of_image
from mrunners.quantities import format_bytes
from mrunners.reports.provenance import ProfileCopy, RunFacts
from mrunners.run.lookup import ExistingRun

__all__ = ["run_facts"]

# Of all requests together: the API server has just answered others.
_SECONDS = 10.0

# Of all profiles together; a report of 10,000 pods has some megabytes.
_MAX_TEXT_CHARACTERS = 1_000_000


def run_facts(run: ExistingRun, cluster: Cluster | None) -> RunFacts:
    """Return what is known of a run beside its pods.

    Args:
        run: The run.
        cluster: Where it runs; None asks no cluster.
    """
    plan, texts = run.plan, dict(run.tracker.data)
    server_version = node_count = None
    if cluster is not None:
        with request_deadline(time.monotonic() + _SECONDS, time.monotonic):
            # It may be away, or answer some of them only; the report is there all the same.
            with suppress(ClusterError):
                server_version = cluster.server_version()
            with suppress(ClusterError):
                node_count = cluster.count_nodes()
            with suppress(ClusterError):
                texts |= _other_profiles(cluster, plan, texts)
    release = release_of_image(plan.image)
    return RunFacts(
        start_at=run.start_at,
        image=plan.image,
        kperf_release=None if release is None else str(release),
        server_version=server_version,
        node_count=node_count,
        profiles=tuple(_profiles(plan, texts)),
        options=dict(_options(plan)),
        labels=metadata_of(plan.pods)["labels"],
    )


def _other_profiles(cluster: Cluster, plan: RunPlan, texts: Mapping[str, str]) -> dict[str, str]:
    """Return the profiles that did not fit into the tracker."""
    if all(profile_key(job.profile_digest) in texts for job in plan.jobs):
        return {}
    config_maps = cluster.list_config_maps(plan.namespace, profiles_selector(plan.run_id))
    return {key: text for config_map in config_maps for key, text in config_map.data.items()}


def _profiles(plan: RunPlan, texts: Mapping[str, str]) -> Iterator[ProfileCopy]:
    jobs: dict[str, list[str]] = {}
    for job in plan.jobs:
        jobs.setdefault(job.profile_digest, []).append(job.name)
    left = _MAX_TEXT_CHARACTERS
    for digest, names in jobs.items():
        text = texts.get(profile_key(digest))
        if text is not None and (left := left - len(text)) < 0:
            text = None
        yield ProfileCopy(digest=digest, jobs=tuple(names), text=text)


def _options(plan: RunPlan) -> Iterator[tuple[str, str]]:
    """Yield the options of a run as its command line names them; labels are apart."""
    yield "spread", plan.spread.value
    yield "report", plan.report_mode.value
    yield "node-log-limit", format_bytes(plan.node_log_limit_bytes)
    yield "report-logs", str(plan.report_logs)
    yield "start-timeout", format_duration(plan.start_timeout_seconds)
    yield "service-account", plan.service_account
    if plan.start_delay_seconds:
        yield "start-delay", format_duration(plan.start_delay_seconds)
    overrides = plan.overrides
    for name, value, unit in (
        ("total", overrides.total, ""),
        ("duration", overrides.duration, "s"),
        ("rate", overrides.rate, ""),
    ):
        if value is not None:
            yield name, f"{value:g}{unit}" if isinstance(value, float) else f"{value}{unit}"
    for row in POD_ROWS:
        value = getattr(plan.pods, row.name, None)
        texts = (value,) if isinstance(value, str) else value or ()
        if row.name != "label" and any(texts):
            yield row.name.replace("_", "-"), ", ".join(texts)
    if plan.pods.template:
        yield "pod-template", "given"
