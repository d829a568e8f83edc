"""The rows of the table of options that fit a run's pods to a cluster.

They are spelled as kubectl spells them, and one that is left empty changes nothing.
"""

from __future__ import annotations

from typing import Final

from mrunners.durations import DURATION_PATTERN
from mrunners.names import DNS_SUBDOMAIN_PATTERN
from mrunners.plan.option_row import Option, optional
from mrunners.quantities import QUANTITY_PATTERN

__all__ = ["CPU_PATTERN", "MAX_UID", "PLATFORM", "POD_ROWS"]

# Without anchors: whole cores, a fraction of one, or thousandths.
CPU_PATTERN: Final = "(?:[0-9]{1,6}(?:[.][0-9]{1,3})?|[0-9]{1,9}m)"

PLATFORM: Final = "platform"

# What the API server takes for runAsUser.
MAX_UID: Final = (1 << 31) - 1

_CPU: Final = optional({"pattern": f"^{CPU_PATTERN}$", "maxLength": 32})
_MEMORY: Final = optional({"pattern": f"^{QUANTITY_PATTERN}$", "maxLength": 32})
_LIST: Final = {"maxItems": 100}


def _text(name: str, title: str, help_text: str, metavar: str, schema: dict[str, object]) -> Option:
    return Option(
        name=name,
        title=title,
        help=help_text,
        default="",
        schema=schema,
        metavar=metavar,
        advanced=True,
        planned=True,
    )


def _list(name: str, title: str, help_text: str, metavar: str, *, blanks: bool = False) -> Option:
    return Option(
        name=name,
        title=title,
        help=help_text,
        default=(),
        schema=_LIST,
        metavar=metavar,
        multiple=True,
        blanks=blanks,
        advanced=True,
        planned=True,
    )


POD_ROWS: Final = (
    _list(
        "node_selector",
        "Node selector",
        "A label that the nodes of the runners must have. By default, they run on Linux nodes, and "
        "with kperf's own image on those of its architecture, amd64.",
        "KEY=VALUE",
    ),
    _list(
        "toleration",
        "Tolerations",
        "A taint that the runners tolerate, as kubectl taint spells it: key=value:Effect, "
        "key:Effect, key=value or key.",
        "TAINT",
    ),
    _text(
        "unreachable_timeout",
        "Unreachable timeout",
        "How long a pod stays on a node that does not answer, such as 1h. Kubernetes deletes it "
        "after 5 minutes, and its report with it, even if it had ended. Longer keeps the report of "
        "a node that comes back; the run waits as long for one that does not.",
        "DURATION",
        optional({"pattern": f"^{DURATION_PATTERN}$", "maxLength": 64}),
    ),
    _text(
        "cpu",
        "CPU request",
        "The CPU that each runner asks for, such as 200m or 1. Default: 100m, or the limit.",
        "CPU",
        _CPU,
    ),
    _text(
        "cpu_limit",
        "CPU limit",
        "The CPU that each runner may use at most. Default: none, because a runner at its limit is "
        "throttled, and the latencies that it measures are then not the server's.",
        "CPU",
        _CPU,
    ),
    _text(
        "memory",
        "Memory request",
        "The memory that each runner asks for, such as 256Mi. Default: 128Mi, or the limit.",
        "SIZE",
        _MEMORY,
    ),
    _text(
        "memory_limit",
        "Memory limit",
        "The memory that each runner may use at most. Default: none.",
        "SIZE",
        _MEMORY,
    ),
    _list(
        "image_pull_secret",
        "Image pull secrets",
        "A Secret in the namespace with credentials for the registry of the image.",
        "NAME",
    ),
    _text(
        "image_pull_policy",
        "Image pull policy",
        "Always, IfNotPresent or Never. Empty leaves it to the cluster.",
        "POLICY",
        {"pattern": "^(Always|IfNotPresent|Never)?$", "maxLength": 16},
    ),
    _list(
        "label",
        "Labels",
        "A label of the Jobs and their pods.",
        "KEY=VALUE",
    ),
    _list(
        "annotation",
        "Annotations",
        "An annotation of the Jobs and their pods.",
        "KEY=VALUE",
        blanks=True,
    ),
    _text(
        "priority_class",
        "Priority class",
        "The PriorityClass of the pods.",
        "NAME",
        {
            "pattern": f"^({DNS_SUBDOMAIN_PATTERN})?$",
            "maxLength": 253,
        },
    ),
    _text(
        "run_as_user",
        "Run as user",
        "The user and group ID of the runners; platform leaves both out, so that the cluster sets "
        "them, as OpenShift does. Default: 65532.",
        "UID|platform",
        {"pattern": f"^([1-9][0-9]{{0,9}}|{PLATFORM})?$", "maxLength": 10},
    ),
    _text(
        "pod_template",
        "Pod template",
        "A file on the machine where the flow runs, with a pod (Pod, PodTemplate or its metadata "
        "and spec) that the runners' pods are merged with; the other options beat it.",
        "FILE",
        {"maxLength": 4096},
    ),
)
