"""What to do next, written as command lines that repeat the flags that select the cluster.

Errors carry the steps as facts (`mrunners.errors.NextStep`); only this module knows how the command
line is spelled.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable
from typing import Final

from mrunners.errors import MrunnersError, NextStep
from mrunners.refs import ClusterRef, RunRef

__all__ = ["advice", "command", "describe", "next_step_lines", "step_lines"]

# What each step is for, and its command without the flags that select the cluster.
_COMMANDS: Final[dict[NextStep, tuple[str, str]]] = {
    NextStep.START: (
        "start one with",
        "mrunners run --namespace {namespace} --runner-image … --runners …",
    ),
    NextStep.STATUS: (
        "see how far it is with",
        "mrunners status {namespace} --tracker {tracker}",
    ),
    NextStep.WAIT: ("wait for it with", "mrunners wait {namespace} --tracker {tracker}"),
    NextStep.RESUME: (
        "resume it with",
        "mrunners run --namespace {namespace} --tracker {tracker} --resume",
    ),
    NextStep.RESULT: ("get its report with", "mrunners result {namespace} --tracker {tracker}"),
    NextStep.PARTIAL_RESULT: (
        "report on what has finished so far with",
        "mrunners result {namespace} --tracker {tracker} --partial",
    ),
    NextStep.FORCE_DELETE: (
        "delete it anyway with",
        "mrunners delete {namespace} --tracker {tracker} --force",
    ),
    NextStep.LIST_TRACKERS: ("list the runs of its namespace with", "mrunners list {namespace}"),
}
_ADVICE: Final[dict[NextStep, str]] = {
    NextStep.RESUME_SAME_OPTIONS: "resume it with --resume and the options that it was started "
    "with",
    NextStep.REPLACE: "replace it by adding --replace",
    NextStep.OTHER_TRACKER: "choose another name with --tracker",
    NextStep.NAME_TRACKER: "name one with --tracker",
    NextStep.SET_LIMITS: "set limits with --cpu-limit and --memory-limit",
    NextStep.SET_REQUESTS: "set what a runner asks for with --cpu and --memory",
    NextStep.SET_USER: "set the user ID with --run-as-user UID, or leave it to the cluster with "
    "--run-as-user platform",
    NextStep.SET_LABELS: "add the labels with --label KEY=VALUE",
    NextStep.SET_ANNOTATIONS: "add the annotations with --annotation KEY=VALUE",
    NextStep.SET_PRIORITY: "name another PriorityClass with --priority-class",
    NextStep.SET_PULL_CREDENTIALS: "name a Secret with the registry's credentials with "
    "--image-pull-secret",
    NextStep.SET_PULL_POLICY: "change the pull policy with --image-pull-policy",
    NextStep.SET_TOLERATION: "tolerate the taint with --toleration",
    NextStep.SET_NODES: "choose other nodes with --node-selector",
    NextStep.SET_ACCOUNT: "name a ServiceAccount that exists with --service-account",
    NextStep.SET_TEMPLATE: "change the pods with --pod-template",
}
# For people who filled in a form, whose labels are put in. In other advice each flag becomes its
# label.
_FORM_ADVICE: Final[dict[NextStep, str]] = {
    NextStep.RESUME_SAME_OPTIONS: 'resume it with "resume" in "{if_exists}" and the options that '
    "it was started with",
    NextStep.REPLACE: 'replace it by choosing "replace" in "{if_exists}"',
    NextStep.OTHER_TRACKER: 'choose another name in "{tracker}"',
}

_FLAG: Final = re.compile(r"--([a-z-]+)")


def command(step: NextStep, run: RunRef, cluster: ClusterRef = ClusterRef()) -> str:
    """Return the command line of a step.

    Args:
        step: One that is a command.
        run: The run that it is about.
        cluster: Its `--kubeconfig` and `--context` are repeated as given.
    """
    words = _COMMANDS[step][1].format(namespace=run.namespace, tracker=run.tracker)
    return " ".join((words, *_flags(cluster)))


def next_step_lines(error: MrunnersError, cluster: ClusterRef = ClusterRef()) -> list[str]:
    """Return one line for each thing that a user can do about an error."""
    return [] if error.run is None else step_lines(error.next_steps, error.run, cluster)


def step_lines(
    steps: Iterable[NextStep], run: RunRef, cluster: ClusterRef = ClusterRef()
) -> list[str]:
    """Return one line for each of these steps."""
    return [
        _ADVICE[step] if step in _ADVICE else f"{_COMMANDS[step][0]}: {command(step, run, cluster)}"
        for step in steps
    ]


def advice(steps: Iterable[NextStep]) -> str:
    """Return what to do, of steps that are no commands, as the end of a sentence."""
    return ", or ".join(_ADVICE[step] for step in steps)


def describe(error: MrunnersError, label: Callable[[str], str] | None = None) -> str:
    """Return an error's message and what to do next, as one text.

    Args:
        error: The error.
        label: Returns the label that an option has in a form, which then stands for its flag.
    """
    if error.run is None or label is None:
        return "\n".join((str(error), *next_step_lines(error)))
    lines = [str(error)]
    fields = {name: label(name) for name in ("if_exists", "tracker")}
    for step in error.next_steps:
        if step in _FORM_ADVICE:
            lines.append(_FORM_ADVICE[step].format(**fields))
        elif step in _ADVICE:
            lines.append(_in_form_words(_ADVICE[step], label))
        else:
            lines += step_lines([step], error.run)
    return "\n".join(lines)


def _in_form_words(text: str, label: Callable[[str], str]) -> str:
    """Return a text in which each flag is the label of its field."""
    return _FLAG.sub(lambda flag: f'"{label(flag[1].replace("-", "_"))}"', text)


def _flags(cluster: ClusterRef) -> list[str]:
    given = (
        ("--kubeconfig", cluster.kubeconfig),
        ("--context", cluster.context),
        ("--max-qps", cluster.max_qps),
    )
    return [f"{flag} {shlex.quote(value)}" for flag, value in given if value]
