"""What to do about an error is written as command lines for the run and the cluster given."""

import shlex

import pytest

from mrunners.errors import (
    ForbiddenError,
    IncompleteError,
    MrunnersError,
    NextStep,
    RefusedError,
    StillRunningError,
)
from mrunners.hints import command, describe, next_step_lines
from mrunners.refs import ClusterRef, RunRef

RUN = RunRef("load", "nightly")

COMMANDS = {
    NextStep.START: "mrunners run --namespace load --runner-image … --runners …",
    NextStep.STATUS: "mrunners status load --tracker nightly",
    NextStep.WAIT: "mrunners wait load --tracker nightly",
    NextStep.RESUME: "mrunners run --namespace load --tracker nightly --resume",
    NextStep.RESULT: "mrunners result load --tracker nightly",
    NextStep.PARTIAL_RESULT: "mrunners result load --tracker nightly --partial",
    NextStep.FORCE_DELETE: "mrunners delete load --tracker nightly --force",
    NextStep.LIST_TRACKERS: "mrunners list load",
}
PURPOSES = {
    NextStep.START: "start one with",
    NextStep.STATUS: "see how far it is with",
    NextStep.WAIT: "wait for it with",
    NextStep.RESUME: "resume it with",
    NextStep.RESULT: "get its report with",
    NextStep.PARTIAL_RESULT: "report on what has finished so far with",
    NextStep.FORCE_DELETE: "delete it anyway with",
    NextStep.LIST_TRACKERS: "list the runs of its namespace with",
}
ADVICE = {
    NextStep.RESUME_SAME_OPTIONS: (
        "resume it with --resume and the options that it was started with"
    ),
    NextStep.REPLACE: "replace it by adding --replace",
    NextStep.OTHER_TRACKER: "choose another name with --tracker",
    NextStep.NAME_TRACKER: "name one with --tracker",
    NextStep.SET_LIMITS: "set limits with --cpu-limit and --memory-limit",
    NextStep.SET_REQUESTS: "set what a runner asks for with --cpu and --memory",
    NextStep.SET_USER: (
        "set the user ID with --run-as-user UID, or leave it to the cluster with --run-as-user "
        "platform"
    ),
    NextStep.SET_LABELS: "add the labels with --label KEY=VALUE",
    NextStep.SET_ANNOTATIONS: "add the annotations with --annotation KEY=VALUE",
    NextStep.SET_PRIORITY: "name another PriorityClass with --priority-class",
    NextStep.SET_PULL_CREDENTIALS: (
        "name a Secret with the registry's credentials with --image-pull-secret"
    ),
    NextStep.SET_PULL_POLICY: "change the pull policy with --image-pull-policy",
    NextStep.SET_TOLERATION: "tolerate the taint with --toleration",
    NextStep.SET_NODES: "choose other nodes with --node-selector",
    NextStep.SET_ACCOUNT: "name a ServiceAccount that exists with --service-account",
    NextStep.SET_TEMPLATE: "change the pods with --pod-template",
}


def error_with(*steps: NextStep) -> MrunnersError:
    return MrunnersError("it failed").suggest(RUN, *steps)


def test_the_tables_of_these_tests_cover_every_step_once() -> None:
    assert sorted([*COMMANDS, *ADVICE]) == sorted(NextStep)
    assert COMMANDS.keys() == PURPOSES.keys()


@pytest.mark.parametrize("step", COMMANDS)
def test_each_step_is_this_command_line(step: NextStep) -> None:
    assert command(step, RUN) == COMMANDS[step]


@pytest.mark.parametrize("step", COMMANDS)
@pytest.mark.parametrize(
    ("cluster", "flags"),
    [
        (ClusterRef("/etc/kube/config"), " --kubeconfig /etc/kube/config"),
        (ClusterRef(context="staging"), " --context staging"),
        (ClusterRef(context="staging", max_qps="20"), " --context staging --max-qps 20"),
        (
            ClusterRef("my config", "o'hara $HOME;x"),
            " --kubeconfig 'my config' --context 'o'\"'\"'hara $HOME;x'",
        ),
    ],
    ids=["kubeconfig", "context", "limit", "both, quoted"],
)
def test_the_flags_that_select_the_cluster_are_repeated(
    step: NextStep, cluster: ClusterRef, flags: str
) -> None:
    assert command(step, RUN, cluster) == COMMANDS[step] + flags
    assert next_step_lines(error_with(step), cluster) == [
        f"{PURPOSES[step]}: {COMMANDS[step]}{flags}"
    ]


def test_a_shell_reads_the_flags_back_as_they_were_given() -> None:
    cluster = ClusterRef("~/my config", "prod (eu) \"1\" '2' *")
    words = shlex.split(command(NextStep.WAIT, RUN, cluster))
    assert words[-4:] == ["--kubeconfig", cluster.kubeconfig, "--context", cluster.context]


@pytest.mark.parametrize("step", COMMANDS)
def test_a_command_line_follows_what_it_is_for(step: NextStep) -> None:
    assert next_step_lines(error_with(step)) == [f"{PURPOSES[step]}: {COMMANDS[step]}"]


@pytest.mark.parametrize("cluster", [ClusterRef(), ClusterRef("config", "staging")])
@pytest.mark.parametrize("step", ADVICE)
def test_advice_is_a_line_without_flags_of_a_cluster(step: NextStep, cluster: ClusterRef) -> None:
    assert next_step_lines(error_with(step), cluster) == [ADVICE[step]]


def test_steps_keep_the_order_in_which_the_error_suggests_them() -> None:
    steps = (NextStep.OTHER_TRACKER, NextStep.FORCE_DELETE, NextStep.WAIT)
    assert next_step_lines(error_with(*steps)) == [
        "choose another name with --tracker",
        "delete it anyway with: mrunners delete load --tracker nightly --force",
        "wait for it with: mrunners wait load --tracker nightly",
    ]


def test_a_description_is_the_message_and_one_line_per_step() -> None:
    error = StillRunningError("1 of 2 Jobs have not finished:\n  a: 0 of 1 pods", jobs=["a"])
    assert describe(error.suggest(RUN, NextStep.WAIT, NextStep.PARTIAL_RESULT)) == (
        "1 of 2 Jobs have not finished:\n"
        "  a: 0 of 1 pods\n"
        "wait for it with: mrunners wait load --tracker nightly\n"
        "report on what has finished so far with: mrunners result load --tracker nightly --partial"
    )


def test_a_description_for_people_with_a_form_names_its_labels_and_no_flags() -> None:
    steps = (NextStep.REPLACE, NextStep.OTHER_TRACKER, NextStep.RESUME_SAME_OPTIONS)
    labels = {"if_exists": "If the tracker exists", "tracker": "Tracker"}
    assert describe(error_with(*steps), labels.__getitem__).splitlines()[1:] == [
        'replace it by choosing "replace" in "If the tracker exists"',
        'choose another name in "Tracker"',
        'resume it with "resume" in "If the tracker exists" and the options that it was started '
        "with",
    ]


@pytest.mark.parametrize(
    "error",
    [
        MrunnersError("it failed"),
        IncompleteError("it failed"),
        RefusedError("it failed", namespace="load"),
        ForbiddenError("it failed", verb="get", resource="pods", namespace="load"),
        IncompleteError("it failed").suggest(RUN),
    ],
)
def test_an_error_without_a_run_or_without_steps_is_described_by_its_message(
    error: MrunnersError,
) -> None:
    assert next_step_lines(error, ClusterRef("config", "staging")) == []
    assert describe(error) == describe(error, str) == "it failed"
