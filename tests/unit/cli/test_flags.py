import click
import pytest
from click.testing import CliRunner

from mrunners_cli.commands.run import run
from mrunners_cli.flags import DURATION

GIVEN = ["--namespace", "load"]


def asked(*args: str) -> dict[str, object]:
    """What `run` would be called with."""
    return run.make_context("run", [*GIVEN, *args]).params


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
def test_waiting_is_asked_for_with_or_without_a_value(args: str, wait: bool) -> None:
    assert asked(*args.split())["wait"] is wait


def test_runners_are_kept_in_their_order() -> None:
    args = [part for uri in ("b", "a", "b") for part in ("--runners", uri)]
    assert asked(*args)["runners"] == ("b", "a", "b")


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90.0), ("2h", 7200.0), ("500ms", 0.5)])
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert DURATION.convert(text, None, None) == seconds


def test_a_duration_without_a_unit_is_a_usage_error() -> None:
    with pytest.raises(click.BadParameter, match="not a duration"):
        DURATION.convert("10", None, None)


def test_nothing_of_a_run_is_looked_at_before_its_options_are_good() -> None:
    args = [
        *GIVEN,
        "--runners",
        "file:///none?numbers=1",
        "--kubeconfig",
        "/none",
        "--timeout",
        "x",
        "--wait",
    ]
    done = CliRunner().invoke(run, args)
    assert str(done.exception) == (
        "--timeout: not a duration: 'x'; write it like 90s, 10m, 2h or 1h30m\n"
        "--runner-image: give the kperf image, such as ghcr.io/azure/kperf:0.3.5"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--timeout", "5m", "--runners", "file:///x?numbers=1"], "--timeout goes with --wait"),
        (
            ["--resume", "--spread", "require", "--runner-image", "x"],
            "--resume without --runners takes the run as its tracker has it: leave out "
            "--runner-image, --spread",
        ),
    ],
)
def test_an_option_that_would_do_nothing_is_a_usage_error(words: list[str], said: str) -> None:
    done = CliRunner().invoke(run, [*GIVEN, *words])
    assert done.exit_code == 2
    assert said in done.output
