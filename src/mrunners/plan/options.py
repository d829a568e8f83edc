"""The options of a run as records: the flow's parameters, which are the command line's options.

Defaults, labels and help come from `plan.option_table`; here are the types and the checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field

from mrunners.durations import format_duration, parse_duration
from mrunners.errors import FieldProblem, InvalidOptionsError
from mrunners.names import dns_label_problem, dns_subdomain_problem
from mrunners.plan.option_row import Option
from mrunners.plan.option_table import (
    MAX_START_DELAY_SECONDS,
    OPTIONS,
    TRACKER_LENGTH,
    IfExists,
    Spread,
)
from mrunners.plan.pod_options import pod_option_problems
from mrunners.profiles.images import image_problem, release_of_image, release_problem
from mrunners.profiles.overrides import ProfileOverrides, parse_load_duration
from mrunners.profiles.release_rules import override_problems
from mrunners.quantities import format_bytes, parse_bytes, parse_count, parse_max_qps, parse_rate
from mrunners.records import Record
from mrunners.refs import ClusterRef, RunRef
from mrunners.reports.conclusion import FailOn
from mrunners.reports.log_size import MAX_REPORT_LOGS, MIN_LOG_LIMIT_BYTES
from mrunners.reports.runner_script import ReportMode
from mrunners.reports.slo import objective_problem
from mrunners.text import quoted

__all__ = [
    "AdvancedOptions",
    "IfExists",
    "RunOptions",
    "described",
    "validate_options",
]


_Texts: TypeAlias = Annotated[Sequence[str], AfterValidator(tuple)]


def described(option: Option, **changes: Any) -> Any:
    """Return what annotates a field so that the form shows an option.

    Args:
        option: A row of the table.
        **changes: Of its `title`, `help` or `schema`.
    """
    schema = changes.get("schema", option.schema)
    return Field(
        title=changes.get("title", option.title),
        description=changes.get("help", option.help),
        json_schema_extra=dict(schema) or None,
    )


def _option(name: str) -> Any:
    return described(OPTIONS[name])


def _default(name: str) -> Any:
    return OPTIONS[name].default


class AdvancedOptions(Record):
    """Most runs leave these as they are. Durations and sizes are written as in Kubernetes."""

    tracker: Annotated[str, _option("tracker")] = _default("tracker")
    if_exists: Annotated[IfExists, _option("if_exists")] = _default("if_exists")
    total: Annotated[str, _option("total")] = _default("total")
    duration: Annotated[str, _option("duration")] = _default("duration")
    rate: Annotated[str, _option("rate")] = _default("rate")
    spread: Annotated[Spread, _option("spread")] = _default("spread")
    start_timeout: Annotated[str, _option("start_timeout")] = _default("start_timeout")
    start_delay: Annotated[str, _option("start_delay")] = _default("start_delay")
    report: Annotated[ReportMode, _option("report")] = _default("report")
    node_log_limit: Annotated[str, _option("node_log_limit")] = _default("node_log_limit")
    report_logs: Annotated[str, _option("report_logs")] = _default("report_logs")
    node_selector: Annotated[_Texts, _option("node_selector")] = _default("node_selector")
    toleration: Annotated[_Texts, _option("toleration")] = _default("toleration")
    unreachable_timeout: Annotated[str, _option("unreachable_timeout")] = _default(
        "unreachable_timeout"
    )
    cpu: Annotated[str, _option("cpu")] = _default("cpu")
    cpu_limit: Annotated[str, _option("cpu_limit")] = _default("cpu_limit")
    memory: Annotated[str, _option("memory")] = _default("memory")
    memory_limit: Annotated[str, _option("memory_limit")] = _default("memory_limit")
    image_pull_secret: Annotated[_Texts, _option("image_pull_secret")] = _default(
        "image_pull_secret"
    )
    image_pull_policy: Annotated[str, _option("image_pull_policy")] = _default("image_pull_policy")
    label: Annotated[_Texts, _option("label")] = _default("label")
    annotation: Annotated[_Texts, _option("annotation")] = _default("annotation")
    priority_class: Annotated[str, _option("priority_class")] = _default("priority_class")
    run_as_user: Annotated[str, _option("run_as_user")] = _default("run_as_user")
    pod_template: Annotated[str, _option("pod_template")] = _default("pod_template")
    max_qps: Annotated[str, _option("max_qps")] = _default("max_qps")
    run_key: Annotated[str, _option("run_key")] = _default("run_key")


# What a form must ask for, and what it says about the exception: a run that is resumed by its
# tracker alone is given them empty.
_ASKED_FOR = {
    "runners": 'Then leave them empty in the form, and give "runners": [] through the API.',
    "runner_image": 'Then write it as it was in the form, or give "runner_image": "" through the '
    "API.",
}


def _ask(schema: dict[str, Any]) -> None:
    for name, when_resumed in _ASKED_FOR.items():
        field = schema["properties"][name]
        field.pop("default", None)
        field["description"] += f" {when_resumed}"
    schema["required"] = [*_ASKED_FOR, *schema["required"]]


class RunOptions(Record):
    """The options of one run, in the order in which people think of them."""

    model_config = ConfigDict(json_schema_extra=_ask)

    runners: Annotated[Sequence[str], AfterValidator(tuple), _option("runners")] = _default(
        "runners"
    )
    runner_image: Annotated[str, _option("runner_image")] = _default("runner_image")
    namespace: Annotated[str, _option("namespace")]
    service_account: Annotated[str, _option("service_account")] = _default("service_account")
    kubeconfig: Annotated[str, _option("kubeconfig")] = _default("kubeconfig")
    context: Annotated[str, _option("context")] = _default("context")
    wait: Annotated[bool, _option("wait")] = _default("wait")
    timeout: Annotated[str, _option("timeout")] = _default("timeout")
    slo: Annotated[_Texts, _option("slo")] = _default("slo")
    fail_on: Annotated[FailOn, _option("fail_on")] = _default("fail_on")
    advanced: AdvancedOptions = Field(
        default=AdvancedOptions(), title="Advanced", description="Most runs leave these alone."
    )

    @property
    def cluster(self) -> ClusterRef:
        """The cluster that runs it."""
        return ClusterRef(self.kubeconfig, self.context, self.advanced.max_qps)

    @property
    def overrides(self) -> ProfileOverrides:
        """What replaces values of the load profiles, once the options are checked."""
        advanced = self.advanced
        return ProfileOverrides.of(
            total=advanced.total, duration=advanced.duration, rate=advanced.rate
        )

    @property
    def ref(self) -> RunRef:
        """The run that the options name."""
        return RunRef(self.namespace, self.advanced.tracker)


def validate_options(options: RunOptions, cluster: ClusterRef | None = None) -> None:
    """Check every option and report all problems at once.

    Args:
        options: The options.
        cluster: The one that is connected already, where it is known; options that name another
            are wrong.

    Raises:
        InvalidOptionsError: One problem per option.
    """
    advanced = options.advanced
    checks: tuple[tuple[str, str | None], ...] = (
        ("namespace", dns_label_problem(options.namespace)),
        ("advanced.tracker", dns_label_problem(advanced.tracker, max_length=TRACKER_LENGTH)),
        ("service_account", _account_problem(options.service_account)),
        ("timeout", _problem(parse_duration, options.timeout) if options.timeout else None),
        ("advanced.total", _problem(parse_count, advanced.total) if advanced.total else None),
        ("advanced.duration", _load_duration_problem(advanced)),
        ("advanced.rate", _problem(parse_rate, advanced.rate) if advanced.rate else None),
        ("advanced.start_timeout", _problem(parse_duration, advanced.start_timeout)),
        ("advanced.start_delay", _start_delay_problem(advanced)),
        ("advanced.node_log_limit", _log_limit_problem(advanced.node_log_limit)),
        ("advanced.report_logs", _report_logs_problem(advanced)),
        ("advanced.max_qps", _problem(parse_max_qps, advanced.max_qps)),
        ("runner_image", _image_problem(options)),
        ("runners", _runners_problem(options)),
        *((f"advanced.{name}", problem) for name, problem in pod_option_problems(advanced)),
        ("slo", next(filter(None, map(objective_problem, options.slo)), None)),
        *_release_problems(options),
        *_cluster_problems(options, cluster),
    )
    problems = [FieldProblem(field, problem) for field, problem in checks if problem is not None]
    if problems:
        raise InvalidOptionsError(problems)


def _start_delay_problem(advanced: AdvancedOptions) -> str | None:
    if not advanced.start_delay:
        return None
    if problem := _problem(parse_duration, advanced.start_delay):
        return problem
    if parse_duration(advanced.start_delay) > MAX_START_DELAY_SECONDS:
        return f"must be at most {format_duration(MAX_START_DELAY_SECONDS)}"
    if advanced.report is ReportMode.PLAIN:
        return "needs the framed report format: without a shell, nothing can wait in a pod"
    return None


def _cluster_problems(
    options: RunOptions, cluster: ClusterRef | None
) -> Iterator[tuple[str, str | None]]:
    if cluster is not None:
        for field in ("kubeconfig", "context"):
            if getattr(options, field) not in ("", getattr(cluster, field)):
                yield field, "differs from that of the connection; leave it empty"


def _runners_problem(options: RunOptions) -> str | None:
    if options.runners or options.advanced.if_exists is IfExists.RESUME:
        return None
    return "give at least one runner URI (only resuming a run needs none)"


def _image_problem(options: RunOptions) -> str | None:
    if options.runner_image:
        return image_problem(options.runner_image) or release_problem(
            release_of_image(options.runner_image)
        )
    if options.advanced.if_exists is IfExists.RESUME and not options.runners:
        return None
    return "give the kperf image, such as ghcr.io/azure/kperf:0.3.5"


def _log_limit_problem(text: str) -> str | None:
    problem = _problem(parse_bytes, text)
    if problem is None and parse_bytes(text) < MIN_LOG_LIMIT_BYTES:
        return (
            f"{text} has no room for a report: the least is {format_bytes(MIN_LOG_LIMIT_BYTES)}, "
            "and a kubelet keeps 10Mi unless it is configured otherwise"
        )
    return problem


def _report_logs_problem(advanced: AdvancedOptions) -> str | None:
    text = advanced.report_logs
    if text not in {str(count) for count in range(1, MAX_REPORT_LOGS + 1)}:
        return f"must be a number from 1 to {MAX_REPORT_LOGS}, got {quoted(text)}"
    if text != "1" and advanced.report is ReportMode.PLAIN:
        return "only a framed report can be written into several logs"
    return None


def _account_problem(name: str) -> str | None:
    return dns_subdomain_problem(name) if name else None


def _load_duration_problem(advanced: AdvancedOptions) -> str | None:
    if advanced.duration and advanced.total:
        return "cannot be combined with a total, beside which kperf ignores a duration"
    return _problem(parse_load_duration, advanced.duration) if advanced.duration else None


def _release_problems(options: RunOptions) -> Iterator[tuple[str, str]]:
    try:
        overrides = options.overrides
    except ValueError:
        return  # it is reported by itself
    for name, problem in override_problems(overrides, release_of_image(options.runner_image)):
        yield f"advanced.{name}", problem


def _problem(parse: Callable[[str], object], text: str) -> str | None:
    try:
        parse(text)
    except ValueError as error:
        return str(error)
    return None
