"""How a flow's parameters look in the Prefect UI's form, beyond what their models say.

It must not change what a flow takes.
"""

from __future__ import annotations

from typing import Any

from prefect import runtime
from pydantic import Field

from mrunners.durations import parse_duration
from mrunners.errors import InvalidInputError
from mrunners.names import dns_label_problem
from mrunners.plan import bounds
from mrunners.plan.metadata import TRACKER_LENGTH
from mrunners.plan.options import RunOptions
from mrunners.records import Record

__all__ = ["RunTarget", "name_of_run", "titled", "validate_target"]


def titled(title: str, **bounds: Any) -> Any:
    """Annotates a parameter with its title in the form, and the bounds that the form checks.

    Prefect titles each parameter with its bare name; what comes as extra schema is laid over that.
    """
    return Field(json_schema_extra={"title": title, **bounds})


class RunTarget(Record):
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


def validate_target(run: RunTarget, *, timeout: str = "") -> None:
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


# Of the flow run's ID, as people quote it; enough to tell apart what one list shows.
_ID_CHARACTERS = 8


def name_of_run() -> str:
    """`namespace/tracker 1a2b3c4d`, for the flow run that is about to begin; a retry keeps it."""
    options: RunOptions = runtime.flow_run.parameters["options"]
    flow_run = str(runtime.flow_run.id)[:_ID_CHARACTERS]
    return f"{options.namespace}/{options.advanced.tracker} {flow_run}"
