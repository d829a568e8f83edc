"""The one table of a run's options.

The command line, the Prefect form, the JSON Schema and docs/command-line.md all come from it.

To add an option, add a row here and a line with its type in `plan.options`. The table imports
no pydantic and no client, because `mrunners run --help` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from mrunners.durations import DURATION_PATTERN
from mrunners.names import DNS_LABEL_PATTERN
from mrunners.quantities import QUANTITY_PATTERN
from mrunners.reports.conclusion import FailOn
from mrunners.reports.runner_script import ReportMode

__all__ = [
    "DEFAULT_TRACKER",
    "OPTIONS",
    "TRACKER_LENGTH",
    "URL_SCHEMA",
    "IfExists",
    "Option",
    "Spread",
    "optional",
]

DEFAULT_TRACKER: Final = "mrunners"

# The tracker's name is a label value, and `-profiles-N` must fit behind it.
TRACKER_LENGTH: Final = 50


class Spread(StrEnum):
    """How the pods of a run are spread over nodes."""

    PREFER = "prefer"
    REQUIRE = "require"
    OFF = "off"


class IfExists(StrEnum):
    """What to do when the tracker already exists."""

    REFUSE = "refuse"
    """Stop, unless its report was collected."""

    RESUME = "resume"
    """Adopt it: create what is missing, and continue."""

    REPLACE = "replace"
    """Delete it if its run has finished, and start a new run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a run.

    Attributes:
        name: The field's name; the command line spells it with dashes.
        title: The label in the form.
        help: The help text of the command line and the description in the form.
        default: None where the option is required.
        cli_default: The default of the command line, where it differs.
        schema: What the form checks while the user types, as JSON Schema. `validate_options` has
            the last word, and gives reasons.
        metavar: The value's name in `--help`.
        short: The one-letter flag.
        choices: The only values, where there are few.
        multiple: Whether the option can be repeated.
        advanced: Whether the form shows it in the group of options that most runs leave alone.
        planned: Whether the plan stores it, so that a run resumed by its tracker alone has it
            already.
        flag: Whether the command line has an option of this name.
    """

    name: str
    title: str
    help: str
    default: object = None
    cli_default: object = None
    schema: Mapping[str, Any] = field(default_factory=dict)
    metavar: str | None = None
    short: str | None = None
    choices: tuple[str, ...] = ()
    multiple: bool = False
    advanced: bool = False
    planned: bool = False
    flag: bool = True


def optional(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema that an empty text passes too."""
    loose = {key: value for key, value in schema.items() if key != "minLength"}
    if "pattern" in loose:
        loose["pattern"] = f"^({loose['pattern'].removeprefix('^').removesuffix('$')})?$"
    return loose


_NAMESPACE: Final = {"pattern": f"^{DNS_LABEL_PATTERN}$", "minLength": 1, "maxLength": 63}
_TRACKER: Final = {**_NAMESPACE, "maxLength": TRACKER_LENGTH}
_SERVICE_ACCOUNT: Final = {
    "pattern": rf"^{DNS_LABEL_PATTERN}([.]{DNS_LABEL_PATTERN}){{0,126}}$",
    "minLength": 1,
    "maxLength": 253,
}
_DURATION: Final = {"pattern": f"^{DURATION_PATTERN}$", "maxLength": 64}
_SIZE: Final = {"pattern": f"^{QUANTITY_PATTERN}$", "maxLength": 32}
# Linux's PATH_MAX.
_PATH: Final = {"maxLength": 4096}
URL_SCHEMA: Final = {"pattern": "^(https?://.+)?$", "maxLength": 2048}

_ROWS: Final = (
    Option(
        name="runners",
        title="Runners",
        help="A runner URI such as file:///etc/load.yaml?numbers=10 or "
        "configmap:///namespace/name?numbers=2. Each URI becomes one Job of that many pods. Not "
        "needed to resume a run.",
        default=(),
        # More Jobs than this fit into no ConfigMap; none are needed to resume a run.
        schema={"maxItems": 10_000},
        metavar="URI",
        multiple=True,
    ),
    Option(
        name="runner_image",
        title="Runner image",
        help="The container image of kperf, such as ghcr.io/azure/kperf:0.3.5. Not needed to "
        "resume a run.",
        default="",
        schema={"maxLength": 1024},
        metavar="IMAGE",
        planned=True,
    ),
    Option(
        name="namespace",
        title="Namespace",
        help="The Kubernetes namespace of the Jobs and their tracker.",
        schema=_NAMESPACE,
        metavar="NAME",
        short="-n",
    ),
    Option(
        name="service_account",
        title="Service account",
        help="The ServiceAccount of the runners' pods, which grants them their rights. It must "
        "exist.",
        default="default",
        schema=_SERVICE_ACCOUNT,
        metavar="NAME",
        planned=True,
    ),
    Option(
        name="kubeconfig",
        title="Kubeconfig",
        help="Path to a kubeconfig on the machine where the flow runs; a deployment also takes a "
        "Prefect block such as block:///kubernetes-credentials/NAME. Empty means $KUBECONFIG or "
        "the default file, and in a pod without either the pod's token.",
        default="",
        schema=_PATH,
        metavar="PATH",
    ),
    Option(
        name="context",
        title="Context",
        help="The context of the kubeconfig to use. Empty means its current context.",
        default="",
        schema={"maxLength": 1024},
        metavar="NAME",
    ),
    Option(
        name="wait",
        title="Wait for the reports",
        help="Wait until the Jobs have finished, then collect and merge the reports. Otherwise the "
        "run continues on its own once its Jobs are created.",
        default=True,
        cli_default=False,
        metavar="[BOOL]",
    ),
    Option(
        name="timeout",
        title="Timeout",
        help="Stop waiting after this time, such as 90s, 10m or 2h; the Jobs continue. Empty means "
        "no limit.",
        default="",
        schema=optional(_DURATION),
        metavar="DURATION",
    ),
    Option(
        name="fail_on",
        title="Fail on findings",
        help="Fail, although all reports are merged, on findings of this severity or a worse one. "
        "error: the figures are not about the configured load; warning: they need a second look; "
        "never: findings do not fail the run.",
        default=FailOn.ERROR,
        choices=tuple(FailOn),
    ),
    Option(
        name="tracker",
        title="Tracker",
        help="The name of the progress tracker, the ConfigMap that owns the Jobs. A namespace "
        "holds one run per name.",
        default=DEFAULT_TRACKER,
        schema=_TRACKER,
        metavar="NAME",
        advanced=True,
    ),
    Option(
        name="if_exists",
        title="If the tracker exists",
        help="refuse stops, unless the run's report was collected; resume continues the run; "
        "replace deletes it, if it has finished, and starts a new one.",
        default=IfExists.REFUSE,
        choices=tuple(IfExists),
        advanced=True,
        flag=False,  # --resume and --replace
    ),
    Option(
        name="spread",
        title="Spread over nodes",
        help="prefer: evenly where possible; require: at most one pod of the run per node; off: as "
        "the scheduler decides.",
        default=Spread.PREFER,
        choices=tuple(Spread),
        advanced=True,
        planned=True,
    ),
    Option(
        name="start_timeout",
        title="Start timeout",
        help="A pod that has not started after this time counts as not started. Who waits for the "
        "run deletes such pods, and suspends a Job that has no others left.",
        default="5m",
        schema=_DURATION,
        metavar="DURATION",
        advanced=True,
        planned=True,
    ),
    Option(
        name="report",
        title="Report format",
        help="framed: compressed and with a checksum; plain: as kperf prints it, for images "
        "without a shell.",
        default=ReportMode.FRAMED,
        choices=tuple(ReportMode),
        advanced=True,
        planned=True,
    ),
    Option(
        name="node_log_limit",
        title="Node log limit",
        help="How much log a node keeps per container (the kubelet's containerLogMaxSize). A "
        "pod's report must fit into it.",
        default="10Mi",
        schema=_SIZE,
        metavar="SIZE",
        advanced=True,
        planned=True,
    ),
    Option(
        name="run_key",
        title="Run key",
        help="The same key means the same run, for pipelines whose retries create a new flow run. "
        "Empty means the flow run's ID.",
        default="",
        schema={"maxLength": 1024},
        advanced=True,
        flag=False,
    ),
)

OPTIONS: Final[Mapping[str, Option]] = MappingProxyType({option.name: option for option in _ROWS})
"""By name, in the order in which the form and `--help` show them."""
