"""What a user can ask of a run: the flow's parameters, which are the command line's options.

It must not read files or reach a cluster: it is a form, filled in and checked field by field.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from mrunners.durations import parse_duration
from mrunners.errors import InvalidInputError
from mrunners.names import dns_label_problem, dns_subdomain_problem
from mrunners.plan import bounds
from mrunners.plan.metadata import DEFAULT_TRACKER, TRACKER_LENGTH
from mrunners.plan.plan import Spread
from mrunners.profiles.images import image_problem, release_of_image, release_problem
from mrunners.quantities import parse_bytes
from mrunners.records import Record
from mrunners.reports.runner_script import ReportMode

__all__ = ["AdvancedOptions", "IfExists", "RunOptions", "validate_options"]


class IfExists(StrEnum):
    """What to do about a tracker of that name that is already there."""

    REFUSE = "refuse"
    """Stop, unless its report was collected."""

    RESUME = "resume"
    """Adopt it: create what is missing, and go on."""

    REPLACE = "replace"
    """Remove it if its run has finished, and start anew."""


class AdvancedOptions(Record):
    """Most runs leave these as they are. Durations and sizes are written as in Kubernetes."""

    tracker: str = Field(
        DEFAULT_TRACKER,
        title="Tracker",
        json_schema_extra=bounds.TRACKER,
        description="The name of the progress tracker, the ConfigMap that owns the Jobs. A "
        "namespace holds one run per name.",
    )
    if_exists: IfExists = Field(
        IfExists.REFUSE,
        title="IfExists run",
        description="If this tracker is already there: refuse stops, unless its report was "
        "collected; resume continues its run; replace removes it, if it has finished, and starts "
        "anew.",
    )
    spread: Spread = Field(
        Spread.PREFER,
        title="Spread over nodes",
        description="prefer: evenly where possible. require: at most one pod of the run per node. "
        "off: as the scheduler likes.",
    )
    start_timeout: str = Field(
        "5m",
        title="Start timeout",
        json_schema_extra=bounds.DURATION,
        description="A pod that has not started after this time counts as not started, and is no "
        "longer waited for.",
    )
    report: ReportMode = Field(
        ReportMode.FRAMED,
        title="Report format",
        description="framed: compressed and with a checksum; needs a shell in the image. plain: as "
        "kperf prints it.",
    )
    node_log_limit: str = Field(
        "10Mi",
        title="Node log limit",
        json_schema_extra=bounds.SIZE,
        description="How much log a node keeps per container: the kubelet's containerLogMaxSize. A "
        "report must fit into it.",
    )
    run_key: str = Field(
        "",
        title="Run key",
        json_schema_extra=bounds.KEY,
        description="The same key means the same run, for pipelines whose retries make a new flow "
        "run. Leave it empty to use the flow run's ID.",
    )


class RunOptions(Record):
    """One run, as asked for; the order is that in which people think."""

    runners: tuple[str, ...] = Field(
        (),
        title="Runners",
        json_schema_extra=bounds.RUNNERS,
        description="One URI per runner, such as file:///etc/load.yaml?numbers=10 or "
        "configmap:///namespace/name?numbers=2. Each becomes one Job of that many pods. Only to "
        "resume a run, none is needed.",
    )
    runner_image: str = Field(
        "",
        title="Runner image",
        json_schema_extra=bounds.IMAGE,
        description="The container image with kperf, such as ghcr.io/azure/kperf:0.3.5. Only to "
        "resume a run, none is needed.",
    )
    namespace: str = Field(
        title="Namespace",
        json_schema_extra=bounds.NAMESPACE,
        description="The Kubernetes namespace for the Jobs and their progress tracker.",
    )
    service_account: str = Field(
        "default",
        title="Service account",
        json_schema_extra=bounds.SERVICE_ACCOUNT,
        description="The ServiceAccount of the runners' pods, which gives them their rights. It "
        "must be there already.",
    )
    kubeconfig: str = Field(
        "",
        title="Kubeconfig",
        json_schema_extra=bounds.PATH,
        description="A path on the machine where the flow runs, or a block of Prefect's such as "
        "block:///kubernetes-credentials/NAME. Leave it empty to use the pod's token where there "
        "is one, else KUBECONFIG or the default file.",
    )
    wait: bool = Field(
        default=True,
        title="Wait for the reports",
        description="Wait until the Jobs have ended, and merge their reports. When off, the flow "
        "run ends once the Jobs are created.",
    )
    timeout: str = Field(
        "",
        title="Timeout",
        json_schema_extra=bounds.OPTIONAL_DURATION,
        description="Stop waiting after this time, such as 90s, 10m or 2h; the Jobs go on. Leave "
        "it empty to wait as long as it takes.",
    )
    advanced: AdvancedOptions = Field(
        default=AdvancedOptions(), title="Advanced", description="What most runs leave as it is."
    )


def validate_options(options: RunOptions) -> None:
    """Check every option, and tell all mistakes together.

    Raises: InvalidInputError: one line per mistake, each naming the option as the command line
        does.
    """
    problems = [
        f"--{option}: {problem}"
        for option, problem in (
            ("namespace", dns_label_problem(options.namespace)),
            ("tracker", dns_label_problem(options.advanced.tracker, max_length=TRACKER_LENGTH)),
            ("service-account", dns_subdomain_problem(options.service_account)),
            ("timeout", _problem(parse_duration, options.timeout) if options.timeout else None),
            ("start-timeout", _problem(parse_duration, options.advanced.start_timeout)),
            ("node-log-limit", _problem(parse_bytes, options.advanced.node_log_limit)),
            ("runner-image", _image_problem(options)),
        )
        if problem is not None
    ]
    if not options.runners and options.advanced.if_exists is not IfExists.RESUME:
        problems.append("--runners: give at least one runner URI (only --resume needs none)")
    if problems:
        raise InvalidInputError(problems)


def _image_problem(options: RunOptions) -> str | None:
    if options.runner_image:
        return image_problem(options.runner_image) or release_problem(
            release_of_image(options.runner_image)
        )
    if options.advanced.if_exists is IfExists.RESUME and not options.runners:
        return None
    return "give the kperf image, such as ghcr.io/azure/kperf:0.3.5"


def _problem(parse: object, text: str) -> str | None:
    assert callable(parse)
    try:
        parse(text)
    except ValueError as error:
        return str(error)
    return None
