"""The one table of a run's options.

The command line, the Prefect form, the JSON Schema and docs/command-line.md all come from it.

To add an option, add a row here and a line with its type in `plan.options`. The table imports
no pydantic and no client, because `mrunners run --help` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from mrunners.durations import DURATION_PATTERN
from mrunners.names import DNS_LABEL_PATTERN, DNS_SUBDOMAIN_PATTERN
from mrunners.plan.option_row import Option, optional
from mrunners.plan.pod_option_rows import POD_ROWS
from mrunners.plan.verdict_option_rows import VERDICT_ROWS
from mrunners.quantities import COUNT_PATTERN, QUANTITY_PATTERN, RATE_PATTERN
from mrunners.reports.log_size import MAX_REPORT_LOGS
from mrunners.reports.runner_script import ReportMode

__all__ = [
    "DEFAULT_TRACKER",
    "MAX_START_DELAY_SECONDS",
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

# A pod that waits for the common start takes its place on a node all the while.
MAX_START_DELAY_SECONDS: Final = 3600.0


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


_NAMESPACE: Final = {"pattern": f"^{DNS_LABEL_PATTERN}$", "minLength": 1, "maxLength": 63}
_TRACKER: Final = {**_NAMESPACE, "maxLength": TRACKER_LENGTH}
_SERVICE_ACCOUNT: Final = optional({"pattern": f"^{DNS_SUBDOMAIN_PATTERN}$", "maxLength": 253})
_DURATION: Final = {"pattern": f"^{DURATION_PATTERN}$", "maxLength": 64}
_COUNT: Final = {"pattern": f"^{COUNT_PATTERN}$", "maxLength": 9}
_RATE: Final = {"pattern": f"^{RATE_PATTERN}$", "maxLength": 19}
# A bare number is seconds, as for kperf.
_LOAD_DURATION: Final = {"pattern": f"^(?:{COUNT_PATTERN}|{DURATION_PATTERN})$", "maxLength": 64}
_SIZE: Final = {"pattern": f"^{QUANTITY_PATTERN}$", "maxLength": 32}
# Linux's PATH_MAX.
_PATH: Final = {"maxLength": 4096}
URL_SCHEMA: Final = {"pattern": "^(https?://.+)?$", "maxLength": 2048}

_ROWS: Final = (
    Option(
        name="runners",
        title="Runners",
        help="A runner URI such as file:///etc/load.yaml?numbers=10 or "
        "configmap:///namespace/name?numbers=2. Each URI becomes one Job of that many pods; a "
        "kperf runner group may leave numbers to its count. Not needed to resume a run.",
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
        "exist. Default: that of a runner group, or default.",
        default="",
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
    *VERDICT_ROWS,
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
        name="total",
        title="Total",
        help="How many requests each pod sends, in place of what its load profile says.",
        default="",
        schema=optional(_COUNT),
        metavar="COUNT",
        advanced=True,
        planned=True,
    ),
    Option(
        name="duration",
        title="Duration",
        help="How long each pod sends requests, in seconds or such as 10m, in place of what its "
        "load profile says.",
        default="",
        schema=optional(_LOAD_DURATION),
        metavar="DURATION",
        advanced=True,
        planned=True,
    ),
    Option(
        name="rate",
        title="Rate",
        help="How many requests per second each pod sends at most, in place of what its load "
        "profile says; 0 is no limit.",
        default="",
        schema=optional(_RATE),
        metavar="RATE",
        advanced=True,
        planned=True,
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
        name="start_delay",
        title="Start delay",
        help="Begin the load in all pods at one moment, so long after the run was created, such as "
        "30s: enough for all pods to start. A pod that starts later begins at once, and the report "
        "names it. Empty: each pod begins when it starts.",
        default="",
        schema=optional(_DURATION),
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
        name="report_logs",
        title="Report logs",
        help="Into how many logs a pod may write a report that is too large for one. Each further "
        f"one is that of a native sidecar. At most {MAX_REPORT_LOGS}.",
        default="1",
        schema={"pattern": f"^[1-{MAX_REPORT_LOGS}]$", "maxLength": 1},
        metavar="COUNT",
        advanced=True,
        planned=True,
    ),
    *POD_ROWS,
    Option(
        name="max_qps",
        title="Requests per second",
        help="How many requests per second mrunners itself sends to the API server at most, with "
        "retries; 0 is no limit. The runners' requests are not meant.",
        default="",
        schema=optional(_RATE),
        metavar="RATE",
        advanced=True,
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
