"""The plan: everything about a run, decided and validated before anything is created."""

from __future__ import annotations

import hashlib
import json
import math
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final, Literal, Self
from uuid import UUID, uuid5

from pydantic import AfterValidator, Field, FiniteFloat, model_validator
from pydantic_core import PydanticCustomError

from mrunners.names import DNS_LABEL_PATTERN
from mrunners.plan.option_table import MAX_START_DELAY_SECONDS, Spread
from mrunners.plan.pod_options import PodSettings
from mrunners.profiles.overrides import NO_OVERRIDES, ProfileOverrides
from mrunners.profiles.uri_query import MAX_PODS
from mrunners.records import Record
from mrunners.refs import RunRef
from mrunners.reports.analysis.pace import SpecTarget
from mrunners.reports.log_size import MAX_REPORT_LOGS
from mrunners.reports.runner_script import ReportMode
from mrunners.reports.slo import objective_problem

__all__ = [
    "MAX_PODS_OF_RUN",
    "PlannedJob",
    "ProfileLoad",
    "RunPlan",
    "digest_of",
    "plan_differences",
    "run_id_of",
]

# The pods that a whole cluster may have:
# https://kubernetes.io/docs/setup/best-practices/cluster-large/
MAX_PODS_OF_RUN: Final = 150_000

# uuid5(NAMESPACE_DNS, "run.mrunners.dev"). Changing it would give every run key another run ID.
_RUN_NAMESPACE = UUID("6c2718f4-c6ca-5917-bc2b-5e8deee33b2a")

_UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_DnsLabel = Annotated[str, Field(pattern=f"^{DNS_LABEL_PATTERN}$", max_length=63)]


def _check_objective(text: str) -> str:
    # Not a ValueError, which says that the plan contradicts itself: a later release may know more.
    if problem := objective_problem(text):
        raise PydanticCustomError("objective", "{problem}", {"problem": problem})
    return text


class PlannedJob(Record):
    """The Job of one runner URI.

    Attributes:
        index: The runner's position among the URIs, from 0.
        name: The Job's name, unique in the namespace.
        uri: The runner URI as given.
        pod_count: How many pods it has; their completion indexes are 0 to `pod_count - 1`.
        profile_digest: SHA-256 (hex) of the profile as it is mounted.
        expected_seconds: How long a pod generates load; None when the profile does not say.
        target_per_second: The rate limit of a pod, in requests per second; None without a limit.
        clients: How many requests a pod can have in flight; None when its specs differ.
        node_affinity: Pairs of a label and values; its pods run only on nodes that have, for each
            label, one of its values.
        service_account: Of its pods; None is the run's.
    """

    index: int = Field(ge=0)
    name: _DnsLabel
    uri: str
    pod_count: int = Field(ge=1, le=MAX_PODS)
    profile_digest: str
    expected_seconds: float | None = None
    target_per_second: float | None = None
    clients: int | None = None
    node_affinity: tuple[tuple[str, tuple[str, ...]], ...] = ()
    service_account: str | None = None


class ProfileLoad(Record):
    """What a load profile sets for each pod, and what kperf makes of it; known before the start.

    Attributes:
        digest: The profile's, as in `PlannedJob.profile_digest`.
        specs: What each spec sets; empty when there are very many.
        warnings: What the profile's author should know, one line each.
    """

    digest: str
    specs: tuple[SpecTarget, ...] = ()
    warnings: tuple[str, ...] = ()


class RunPlan(Record):
    """Everything that a run deploys.

    Attributes:
        run_id: A UUID, for labels; the same run key gives the same run ID.
        node_log_limit_bytes: How much log a node keeps per container.
        report_logs: Into how many logs a pod may write its report; earlier releases stored none.
        start_timeout_seconds: A pod that has not started after this time is not waited for.
        start_delay_seconds: How long after the tracker's creation all pods begin their load
            together; 0 lets each begin at once.
        slo: Its objectives; earlier releases stored none.
        overrides: What the run set over its load profiles; the stored profiles have it already.
        jobs: In the order of the runner URIs.
        pods: How they fit the cluster; earlier releases did not store it.
        loads: What each different profile sets, as far as it fits; derived from the profiles.
    """

    schema_: Literal["mrunners.plan/v1"] = Field("mrunners.plan/v1", alias="schema")
    # Everyone with write access to ConfigMaps can edit a tracker, and these three go into label
    # selectors, API paths and file names.
    run_id: str = Field(pattern=_UUID)
    namespace: _DnsLabel
    tracker: _DnsLabel
    image: str
    service_account: str
    spread: Spread
    report_mode: ReportMode
    node_log_limit_bytes: int = Field(ge=1)
    report_logs: int = Field(default=1, ge=1, le=MAX_REPORT_LOGS)
    start_timeout_seconds: FiniteFloat = Field(ge=0)
    start_delay_seconds: FiniteFloat = Field(default=0, ge=0, le=MAX_START_DELAY_SECONDS)
    slo: tuple[Annotated[str, AfterValidator(_check_objective)], ...] = ()
    overrides: ProfileOverrides = NO_OVERRIDES
    jobs: tuple[PlannedJob, ...] = Field(min_length=1)
    loads: tuple[ProfileLoad, ...] = ()
    pods: PodSettings = PodSettings()

    @model_validator(mode="after")
    def _require_consistency(self) -> Self:
        """Refuse what no planner writes: each Job is the one of its runner, and only once."""
        if [job.index for job in self.jobs] != list(range(len(self.jobs))):
            raise ValueError("the indexes of its Jobs are not 0, 1, 2, …")
        if len({job.name for job in self.jobs}) < len(self.jobs):
            raise ValueError("two of its Jobs have the same name")
        if self.pod_count > MAX_PODS_OF_RUN:
            raise ValueError(f"it has {self.pod_count:,} pods, more than {MAX_PODS_OF_RUN:,}")
        return self

    @property
    def pod_count(self) -> int:
        """How many pods, and thus reports, the run has."""
        return sum(job.pod_count for job in self.jobs)

    def start_at(self, created: datetime) -> datetime | None:
        """Return the whole second at which all pods begin their load; None when each does at once.

        Args:
            created: When the tracker was created, by the API server's clock.
        """
        if not self.start_delay_seconds:
            return None
        seconds = math.ceil(created.timestamp() + self.start_delay_seconds)
        return datetime.fromtimestamp(seconds, UTC)

    @property
    def ref(self) -> RunRef:
        """The run that the plan is of."""
        return RunRef(self.namespace, self.tracker)


def run_id_of(run_key: str) -> str:
    """Return the run ID of a run key, which is the same on every machine."""
    return str(uuid5(_RUN_NAMESPACE, run_key))


def digest_of(value: object) -> str:
    """Return the SHA-256 (hex) of a JSON value in canonical form: sorted keys, no spaces."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def plan_differences(existing: RunPlan, requested: RunPlan) -> list[str]:
    """Return how a plan differs from the one in the tracker, one line per difference.

    The run ID is not compared, because it says which run it is and not what the run does; nor the
    loads, which earlier releases did not store: the profiles' digests are compared.
    """
    differences = [
        f"{name}: {_text(old)} in the existing run, {_text(new)} requested"
        for name in RunPlan.model_fields
        if name not in {"run_id", "jobs", "loads", "pods"}
        and (old := getattr(existing, name)) != (new := getattr(requested, name))
    ]
    differences += existing.pods.differences(requested.pods)
    if len(existing.jobs) != len(requested.jobs):
        differences.append(
            f"runners: {len(existing.jobs)} in the existing run, {len(requested.jobs)} requested"
        )
    for old, new in zip(existing.jobs, requested.jobs, strict=False):
        if old.uri != new.uri:
            differences.append(
                f"runner {old.index + 1}: {old.uri} in the existing run, {new.uri} requested"
            )
        elif old.profile_digest != new.profile_digest:
            differences.append(
                f"runner {old.index + 1} ({old.uri}): the load profile has changed "
                f"(digest {old.profile_digest[:12]}, now {new.profile_digest[:12]})"
            )
        else:
            differences += [
                f"runner {old.index + 1} ({old.uri}): {name}: {_text(before)} in the existing run, "
                f"{_text(after)} requested"
                for name in ("pod_count", "node_affinity", "service_account")
                if (before := getattr(old, name)) != (after := getattr(new, name))
            ]
    return differences


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value.value) if isinstance(value, StrEnum) else str(value)
