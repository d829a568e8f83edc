"""Which run a flow is about, when it is one that is there already.

It must not look for it.
"""

from __future__ import annotations

from pydantic import Field

from mrunners.durations import parse_duration
from mrunners.errors import InvalidInputError
from mrunners.names import dns_label_problem
from mrunners.plan import bounds
from mrunners.plan.names import TRACKER_LENGTH
from mrunners.records import Record

__all__ = ["RunReference", "check_reference"]


class RunReference(Record):
    """A run in a cluster."""

    namespace: str = Field(
        title="Namespace",
        json_schema_extra=bounds.NAMESPACE,
        description="Where the run's tracker is.",
    )
    tracker: str = Field(
        "",
        title="Tracker",
        json_schema_extra=bounds.OPTIONAL_TRACKER,
        description="The run's tracker; empty means the only one in the namespace.",
    )
    kubeconfig: str = Field(
        "",
        title="Kubeconfig",
        json_schema_extra=bounds.PATH,
        description="A path on the machine where the flow runs, or a block of Prefect's such as "
        "block:///kubernetes-credentials/NAME; empty means the pod's token where there is one, "
        "else KUBECONFIG or the default file.",
    )


def check_reference(run: RunReference, *, timeout: str = "") -> None:
    """Check a reference before it becomes part of a request, and tell all mistakes together.

    Args:
        run: as it came from a form or a pipeline.
        timeout: a duration such as `2h`; empty means none.
    Raises: InvalidInputError: one line per mistake, each naming its parameter.
    """
    problems = []
    if problem := dns_label_problem(run.namespace):
        problems.append(f"namespace: {problem}")
    if run.tracker and (problem := dns_label_problem(run.tracker, max_length=TRACKER_LENGTH)):
        problems.append(f"tracker: {problem}")
    if timeout:
        try:
            parse_duration(timeout)
        except ValueError as error:
            problems.append(f"timeout: {error}")
    if problems:
        raise InvalidInputError(problems)
