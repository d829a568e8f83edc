import click
import pytest
from click.testing import CliRunner

from mrunners.errors import InvalidOptionsError
from mrunners.plan.option_table import OPTIONS, IfExists, Spread
from mrunners.plan.options import RunOptions
from mrunners_cli.commands import run as run_module
from mrunners_cli.commands.run import run
from mrunners_cli.flags import DURATION
from mrunners_cli.main import cli
from mrunners_cli.spelling import flag_of

GIVEN = ["--namespace", "load"]


def parsed(*args: str) -> dict[str, object]:
    """What `run` would be called with."""
    # Click keeps the help option that it makes first, for all later tests.
    names = ["-h", "--help"]
    params = run.make_context("run", [*GIVEN, *args], help_option_names=names).params
    return {name: value for name, value in params.items() if name != "in_namespace"}


def options_of(*args: str) -> RunOptions:
    """The options that `run` would run with."""
    values = {name: value for name, value in parsed(*args).items() if name in OPTIONS}
    return run_module._run_options({**values, "if_exists": IfExists.REFUSE})


@pytest.mark.parametrize(
    ("args", "wait"),
    [
        ("", False),
        ("--wait", True),
        ("--wait=true", True),
        ("--wait=false", False),
        ("--wait false", False),
        ("--wait --quiet", True),
        ("--wait --runners file:///a?numbers=1", True),
    ],
)
def test_wait_is_given_with_or_without_a_value(args: str, wait: bool) -> None:
    assert parsed(*args.split())["wait"] is wait


@pytest.mark.parametrize("args", ["--wait load", "load --wait", "--wait -- load"])
def test_a_namespace_after_wait_is_a_namespace(args: str) -> None:
    params = run.make_context("run", args.split(), help_option_names=["-h", "--help"]).params
    assert (params["in_namespace"], params["wait"]) == ("load", True)


def test_runners_are_kept_in_their_order() -> None:
    args = [part for uri in ("b", "a", "b") for part in ("--runners", uri)]
    assert parsed(*args)["runners"] == ("b", "a", "b")


def test_without_flags_the_options_are_those_of_the_flow_but_for_waiting() -> None:
    assert options_of() == RunOptions(namespace="load", wait=False)


@pytest.mark.parametrize("spread", Spread)
def test_a_choice_is_spelled_as_in_the_form(spread: Spread) -> None:
    assert options_of("--spread", spread.value).advanced.spread is spread


@pytest.mark.parametrize(
    ("field", "flag"),
    [
        ("namespace", "--namespace"),
        ("advanced.start_timeout", "--start-timeout"),
        ("options.advanced.node_log_limit", "--node-log-limit"),
    ],
)
def test_a_field_is_spelled_as_its_flag(field: str, flag: str) -> None:
    assert flag_of(field) == flag


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90.0), ("2h", 7200.0), ("500ms", 0.5)])
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert DURATION.convert(text, None, None) == seconds


def test_a_duration_without_a_unit_is_a_usage_error() -> None:
    with pytest.raises(click.BadParameter, match="not a duration"):
        DURATION.convert("10", None, None)


def test_nothing_is_read_before_the_options_are_valid() -> None:
    args = [
        "run",
        *GIVEN,
        "--runners",
        "file:///none?numbers=1",
        "--kubeconfig",
        "/none",
        "--timeout",
        "x",
        "--wait",
    ]
    error = CliRunner().invoke(cli, args).exception
    assert isinstance(error, InvalidOptionsError)
    assert error.spelled(flag_of) == [
        "--timeout: not a duration: 'x'; write it like 90s, 10m, 2h or 1h30m",
        "--runner-image: give the kperf image, such as ghcr.io/azure/kperf:0.3.5",
    ]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--timeout", "5m", "--runners", "file:///x?numbers=1"], "--timeout requires --wait"),
        (["--fail-on", "never", "--runners", "file:///x?numbers=1"], "--fail-on requires --wait"),
        (
            ["--resume", "--spread", "require", "--runner-image", "x"],
            "--resume without --runners takes the plan from the tracker: leave out "
            "--runner-image, --spread",
        ),
    ],
)
def test_an_option_without_effect_is_a_usage_error(args: list[str], message: str) -> None:
    done = CliRunner().invoke(cli, ["run", *GIVEN, *args])
    assert done.exit_code == 2
    assert message in done.output
