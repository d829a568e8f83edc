"""Errors carry their facts: the run, the next steps, and the fields of wrong options."""

import pickle

import pytest

from mrunners import errors
from mrunners.errors import (
    ApiStatusError,
    ClusterError,
    FieldProblem,
    ForbiddenError,
    IncompleteError,
    InDoubtError,
    InvalidInputError,
    InvalidOptionsError,
    MrunnersError,
    NextStep,
    RefusedError,
    RunCancelledError,
    SloViolatedError,
    StillRunningError,
    UnauthorizedError,
    UnreachableError,
    WaitTimeoutError,
)
from mrunners.refs import RunRef

RUN = RunRef("load", "nightly")
STEPS = (NextStep.WAIT, NextStep.FORCE_DELETE)
PROBLEMS = [
    FieldProblem("namespace", "must not be empty"),
    FieldProblem("advanced.start_timeout", "'soon' is not a duration"),
]


def one_of_each() -> list[MrunnersError]:
    return [
        MrunnersError("root"),
        InvalidInputError(["first", "second"]),
        InvalidOptionsError(PROBLEMS),
        RefusedError("refused", namespace="load", tracker="nightly"),
        StillRunningError("running", jobs=["a", "b"]),
        IncompleteError("incomplete"),
        SloViolatedError("slow"),
        InDoubtError("in doubt"),
        WaitTimeoutError("timed out", seconds=1.5),
        RunCancelledError("cancelled"),
        ClusterError("cluster"),
        UnreachableError("unreachable"),
        UnauthorizedError("unauthorized"),
        ForbiddenError("forbidden", verb="create", resource="jobs.batch", namespace="load"),
        ApiStatusError("status", status=422, reason="Invalid"),
    ]


def test_the_tests_below_see_every_class_of_the_module() -> None:
    classes = {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, MrunnersError)
    }
    assert {type(error) for error in one_of_each()} == classes
    assert all(f" {cls.__name__}" in str(errors.__doc__) for cls in classes)


def test_an_error_is_about_no_run_and_suggests_nothing_unless_it_says_so() -> None:
    assert [(error.run, error.next_steps) for error in one_of_each()] == [(None, ())] * 15


def test_suggesting_steps_returns_the_error_itself_unchanged_otherwise() -> None:
    error = WaitTimeoutError("timed out after 30s", seconds=30)
    assert error.suggest(RUN, *STEPS) is error
    assert (str(error), error.seconds) == ("timed out after 30s", 30)
    assert (error.run, error.next_steps) == (RUN, STEPS)


def test_suggesting_steps_for_one_error_leaves_others_alone() -> None:
    IncompleteError("first").suggest(RUN, *STEPS)
    second = IncompleteError("second")
    assert (second.run, second.next_steps) == (None, ())


def test_the_last_suggestion_counts() -> None:
    other = RunRef("load", "other")
    error = IncompleteError("x").suggest(RUN, *STEPS).suggest(other, NextStep.RESUME)
    assert (error.run, error.next_steps) == (other, (NextStep.RESUME,))


@pytest.mark.parametrize("error", one_of_each(), ids=lambda error: type(error).__name__)
def test_an_error_survives_pickling_with_its_run_and_next_steps(error: MrunnersError) -> None:
    error.suggest(RUN, *STEPS)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (copy.args, str(copy), vars(copy)) == (error.args, str(error), vars(error))
    assert (copy.run, copy.next_steps) == (RUN, STEPS)


def test_a_refusal_of_a_run_names_it_in_every_attribute() -> None:
    error = RefusedError.of(RUN, "tracker load/nightly already exists", *STEPS)
    assert (str(error), error.namespace, error.tracker, error.run, error.next_steps) == (
        "tracker load/nightly already exists",
        "load",
        "nightly",
        RUN,
        STEPS,
    )


def test_a_single_problem_and_several_are_both_one_line_each() -> None:
    assert InvalidInputError("only").problems == ("only",)
    several = InvalidInputError(iter(["first", "second"]))
    assert (several.problems, str(several)) == (("first", "second"), "first\nsecond")


def test_wrong_options_are_named_by_their_fields() -> None:
    error = InvalidOptionsError(iter(PROBLEMS))
    assert error.fields == tuple(PROBLEMS)
    assert error.problems == (
        "namespace: must not be empty",
        "advanced.start_timeout: 'soon' is not a duration",
    )
    assert str(error) == "\n".join(error.problems)


def test_each_interface_spells_the_fields_of_wrong_options_in_its_own_way() -> None:
    copy = pickle.loads(pickle.dumps(InvalidOptionsError(PROBLEMS)))
    for error in (InvalidOptionsError(PROBLEMS), copy):
        assert error.spelled(lambda field: "--" + field.rpartition(".")[2].replace("_", "-")) == [
            "--namespace: must not be empty",
            "--start-timeout: 'soon' is not a duration",
        ]
