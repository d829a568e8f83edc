"""The parameters that flows share, how the Prefect UI's form shows them, and how runs are named."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import runtime
from pydantic import Field

from mrunners.durations import parse_duration
from mrunners.errors import FieldProblem, InvalidOptionsError
from mrunners.names import dns_label_problem
from mrunners.plan.option_row import optional
from mrunners.plan.option_table import OPTIONS, TRACKER_LENGTH
from mrunners.plan.options import RunOptions, described
from mrunners.records import Record
from mrunners.refs import ClusterRef

__all__ = ["RunTarget", "flow_run_name", "form_label", "titled", "validate_target"]

# As people quote a flow run's ID; enough to tell apart what one list shows.
_ID_CHARACTERS = 8


class RunTarget(Record):
    """A run that exists in a cluster."""

    namespace: Annotated[
        str, described(OPTIONS["namespace"], help="The namespace of the run's tracker.")
    ]
    tracker: Annotated[
        str,
        described(
            OPTIONS["tracker"],
            help="The run's tracker; empty means the only one in the namespace.",
            schema=optional(OPTIONS["tracker"].schema),
        ),
    ] = ""
    kubeconfig: Annotated[str, described(OPTIONS["kubeconfig"])] = ""
    context: Annotated[str, described(OPTIONS["context"])] = ""

    @property
    def cluster(self) -> ClusterRef:
        """The cluster that it is in."""
        return ClusterRef(self.kubeconfig, self.context)


def validate_target(run: RunTarget, *, timeout: str = "") -> None:
    """Check the name of a run before it becomes part of a request; report all problems at once.

    Args:
        run: As it came from a form or a pipeline.
        timeout: A duration such as `2h`; empty means no limit.

    Raises:
        InvalidOptionsError: One problem per parameter.
    """
    problems = []
    if problem := dns_label_problem(run.namespace):
        problems.append(FieldProblem("namespace", problem))
    if run.tracker and (problem := dns_label_problem(run.tracker, max_length=TRACKER_LENGTH)):
        problems.append(FieldProblem("tracker", problem))
    if timeout:
        try:
            parse_duration(timeout)
        except ValueError as error:
            problems.append(FieldProblem("timeout", str(error)))
    if problems:
        raise InvalidOptionsError(problems)


def titled(title: str, **schema: Any) -> Any:
    """Return what annotates a flow's parameter so that the form shows a title and checks a schema.

    Prefect titles each parameter with its bare name; extra schema overrides that.
    """
    return Field(json_schema_extra={"title": title, **schema})


def form_label(field: str) -> str:
    """Return the label of an option's field in the form, such as `Start timeout`."""
    option = OPTIONS.get(field.rpartition(".")[2])
    return field if option is None else option.title


def flow_run_name() -> str:
    """Return `namespace/tracker 1a2b3c4d` for the flow run that is about to begin.

    A retry keeps the name. The Prefect server is not asked.
    """
    options: RunOptions = runtime.flow_run.parameters["options"]
    return f"{options.ref} {str(runtime.flow_run.id)[:_ID_CHARACTERS]}"
