"""The parameters that flows share, how the Prefect UI's form shows them, and how runs are named."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Annotated, Any

from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from pydantic import BaseModel, Field

from mrunners.durations import parse_duration
from mrunners.errors import FieldProblem, InvalidOptionsError
from mrunners.names import dns_label_problem
from mrunners.plan.option_row import optional
from mrunners.plan.option_table import OPTIONS, TRACKER_LENGTH
from mrunners.plan.options import RunOptions, described
from mrunners.quantities import parse_rate
from mrunners.records import Record
from mrunners.refs import ClusterRef, RunRef
from mrunners_flows.policy import RunPolicy
from mrunners_tasks.report_files import ReportFiles

__all__ = ["RunTarget", "flow_run_name", "form_label", "in_form_words", "titled", "validate_target"]

# The last ones: the first of a UUIDv7 are the time, and the same for all runs of some minute.
_ID_CHARACTERS = 8

# As Prefect names a run that nobody has named: two words, such as `calm-otter` and in the newer
# design of its form `Small-Vicuña`; in the older one a Greek letter with or without a number, the
# name of a star, which may be empty or two words, and perhaps one more word.
_GENERATED_NAME = re.compile(
    r"[^\W\d_]+-[^\W\d_]+"
    "|(?:alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|omicron|pi|rho|sigma"
    r"|tau|upsilon|phi|chi|psi|omega)\d*(?:-[a-z]*){1,3}"
)

# A field with its group, as messages name it; not a part of a path or of a longer name.
_FIELD = re.compile(r"(?<![\w./:-])(?:options|advanced|policy|files)\.[a-z_]+(?![\w/-]|\.\w)")


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
    max_qps: Annotated[str, described(OPTIONS["max_qps"])] = ""

    @property
    def cluster(self) -> ClusterRef:
        """The cluster that it is in."""
        return ClusterRef(self.kubeconfig, self.context, self.max_qps)


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
    for name, text, parse in (
        ("timeout", timeout, parse_duration),
        ("max_qps", run.max_qps, parse_rate),
    ):
        try:
            if text:
                parse(text)
        except ValueError as error:
            problems.append(FieldProblem(name, str(error)))
    if problems:
        raise InvalidOptionsError(problems)


def titled(title: str, **schema: Any) -> Any:
    """Return what annotates a flow's parameter so that the form shows a title and checks a schema.

    Prefect titles each parameter with its bare name; extra schema overrides that.
    """
    return Field(json_schema_extra={"title": title, **schema})


def form_label(field: str) -> str:
    """Return the label of a field in the form, such as `Start timeout`."""
    return _LABELS.get(field.rpartition(".")[2], field)


def in_form_words(text: str) -> str:
    """Return a text with the labels of the fields that it names, as in `requires "Folder"`."""

    def label(found: re.Match[str]) -> str:
        known = form_label(found[0])
        return found[0] if known == found[0] else f'"{known}"'

    return _FIELD.sub(label, text)


def flow_run_name(prefix: str = "") -> Callable[[], str]:
    """Return what names a flow run that is about to begin.

    The name is `namespace/tracker` with the time of a scheduled run, else with the end of its ID. A
    name that somebody has chosen stays, as does that of a retry. The Prefect server is not asked.

    Args:
        prefix: What the flow does; empty for the main flow.
    """

    def name() -> str:
        context = FlowRunContext.get()
        assert context is not None
        assert context.flow_run is not None
        return _name(context.flow_run, context.parameters or {}, prefix)

    return name


def _name(flow_run: FlowRun, parameters: Mapping[str, Any], prefix: str) -> str:
    if _GENERATED_NAME.fullmatch(flow_run.name) is None:
        return flow_run.name
    start = flow_run.expected_start_time
    mark = str(flow_run.id)[-_ID_CHARACTERS:]
    if flow_run.auto_scheduled and start is not None:
        utc = start.astimezone(UTC)
        mark = f"{utc:%Y-%m-%d %H:%M:%S} UTC" if utc.second else f"{utc:%Y-%m-%d %H:%M} UTC"
    options: RunOptions | None = parameters.get("options")
    target: RunTarget | None = parameters.get("run")
    about = ""
    if options is not None:
        about = str(options.ref)
    elif target is not None:
        about = (
            str(RunRef(target.namespace, target.tracker)) if target.tracker else target.namespace
        )
    return " ".join(part for part in (prefix, about, mark) if part)


def _titles(model: type[BaseModel]) -> dict[str, str]:
    return {name: field.title for name, field in model.model_fields.items() if field.title}


# What a run and a target share has the same label in both.
_LABELS = {
    **_titles(ReportFiles),
    **_titles(RunPolicy),
    **{name: option.title for name, option in OPTIONS.items()},
}
