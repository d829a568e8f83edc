"""The plan: one run, fully decided and validated before anything is created.

It must not talk to a cluster or read a file.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Literal
from uuid import UUID, uuid5

from pydantic import Field

from mrunners.records import Record
from mrunners.reports.runner_script import ReportMode

__all__ = ["PlannedJob", "RunPlan", "Spread", "digest_of", "plan_differences", "run_id_of"]

# uuid5(NAMESPACE_DNS, "run.mrunners.dev"): fixed, so that a key gives the same run everywhere.
_RUN_NAMESPACE = UUID("6c2718f4-c6ca-5917-bc2b-5e8deee33b2a")


class Spread(StrEnum):
    """How the pods of a run are laid over nodes."""

    PREFER = "prefer"
    REQUIRE = "require"
    OFF = "off"


_UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_DNS_LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"


class PlannedJob(Record):
    """One runner URI, decided.

    Attributes:
        index: the runner's place in the order of the URIs, from 0.
        name: the Job's name, unique in the namespace.
        uri: the runner URI as given.
        numbers: how many pods, which are the completion indexes 0 to numbers - 1.
        profile_digest: SHA-256 (hex) of the profile as it is mounted.
        expected_seconds: how long a pod should load; None when the profile does not tell.
        target_per_second: the requests per second asked of a pod; None when there is no limit.
        clients: how many requests a pod may have under way; None when its specs differ.
    """

    index: int = Field(ge=0)
    name: str = Field(pattern=_DNS_LABEL)
    uri: str
    pod_count: int = Field(ge=1)
    profile_digest: str
    expected_seconds: float | None = None
    target_per_second: float | None = None
    clients: int | None = None


class RunPlan(Record):
    """Everything that one flow run deploys.

    Attributes:
        run_id: UUID in labels; the same run key gives the same run ID.
        node_log_limit_bytes: how much log a node keeps per container.
        start_timeout_seconds: after it, a pod that did not start counts as not started.
        jobs: in the order of the runner URIs.
    """

    schema_: Literal["mrunners.plan/v1"] = Field("mrunners.plan/v1", alias="schema")
    # A tracker may be edited by whoever may write ConfigMaps there, and these go into label
    # selectors, API paths and file names.
    run_id: str = Field(pattern=_UUID)
    namespace: str = Field(pattern=_DNS_LABEL)
    tracker: str = Field(pattern=_DNS_LABEL)
    image: str
    service_account: str
    spread: Spread
    report_mode: ReportMode
    node_log_limit_bytes: int
    start_timeout_seconds: float
    jobs: tuple[PlannedJob, ...] = Field(min_length=1)

    @property
    def pods(self) -> int:
        """How many pods, and so how many reports, the run has."""
        return sum(job.pod_count for job in self.jobs)


def run_id_of(run_key: str) -> str:
    """The run ID of a run key: the same key, the same run, on every machine."""
    return str(uuid5(_RUN_NAMESPACE, run_key))


def digest_of(value: object) -> str:
    """SHA-256 (hex) of a JSON value in canonical form: sorted keys, no spaces."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def plan_differences(stored: RunPlan, wanted: RunPlan) -> list[str]:
    """How a plan differs from the one in the tracker, one line per difference.

    The run ID is not compared: it says whose run it is, not what the run does.
    """
    differences = [
        f"{name}: the tracker's plan has {_short(old)}, asked for is {_short(new)}"
        for name in RunPlan.model_fields
        if name not in {"run_id", "jobs"}
        and (old := getattr(stored, name)) != (new := getattr(wanted, name))
    ]
    if len(stored.jobs) != len(wanted.jobs):
        differences.append(
            f"runners: the tracker's plan has {len(stored.jobs)}, asked for are {len(wanted.jobs)}"
        )
    for old, new in zip(stored.jobs, wanted.jobs, strict=False):
        if old.uri != new.uri:
            differences.append(f"runner {old.index + 1}: {old.uri} became {new.uri}")
        elif old.profile_digest != new.profile_digest:
            differences.append(
                f"runner {old.index + 1} ({old.uri}): the load profile changed since "
                f"(digest {old.profile_digest[:12]}, now {new.profile_digest[:12]})"
            )
    return differences


def _short(value: object) -> str:
    return str(value.value) if isinstance(value, StrEnum) else str(value)
