import json
import subprocess
import sys

import pytest
from click import Context
from click.testing import CliRunner

from mrunners_cli.main import cli

COMMANDS = cli.list_commands(Context(cli))
HEAVY = {"kubernetes", "matplotlib", "numpy", "prefect", "pydantic", "rich", "urllib3", "yaml"}
MODULES_AFTER = """\
import json, sys
from mrunners_cli.main import cli
try:
    cli.main(sys.argv[1:])
except SystemExit as ending:
    assert not ending.code, ending
print()
print(json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize(
    "args", [["--help"], *([name, "--help"] for name in COMMANDS)], ids=" ".join
)
def test_help_imports_click_and_nothing_heavier(args: list[str]) -> None:
    packages = {name.partition(".")[0] for name in modules_after(*args)}
    assert "click" in packages
    assert packages & HEAVY == set()


def test_the_list_of_commands_imports_none_of_them() -> None:
    needless = ("mrunners_cli.commands", "mrunners_cli.flags", "mrunners.plan", "http", "ssl")
    assert [name for name in modules_after("--help") if name.startswith(needless)] == []


def modules_after(*args: str) -> list[str]:
    """Return the modules that a command has imported."""
    done = subprocess.run(
        [sys.executable, "-c", MODULES_AFTER, *args], capture_output=True, text=True, check=True
    )
    modules: list[str] = json.loads(done.stdout.splitlines()[-1])
    return modules


@pytest.mark.parametrize(
    ("habit", "option"),
    [([], ["--help"]), (["help"], ["--help"]), (["help", "wait"], ["wait", "--help"])],
    ids=str,
)
def test_help_is_shown_as_other_tools_are_asked_for_it(habit: list[str], option: list[str]) -> None:
    shown = CliRunner().invoke(cli, option, prog_name="mrunners")
    asked = CliRunner().invoke(cli, habit, prog_name="mrunners")
    assert (asked.exit_code, asked.output) == (0, shown.output)


@pytest.mark.parametrize("habit", ["version", "-V"])
def test_the_version_is_shown_as_other_tools_are_asked_for_it(habit: str) -> None:
    shown = CliRunner().invoke(cli, ["--version"], prog_name="mrunners")
    asked = CliRunner().invoke(cli, [habit], prog_name="mrunners")
    assert (asked.exit_code, asked.output) == (0, shown.output)


def test_the_commands_are_listed_in_the_order_of_a_run() -> None:
    assert COMMANDS[:5] == ["run", "wait", "result", "status", "delete"]


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_every_command_has_help_with_examples(name: str, option: str) -> None:
    done = CliRunner().invoke(cli, [name, option])
    assert done.exit_code == 0
    assert f"mrunners {name}" in done.stdout.partition("Examples:")[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_every_command_has_help(name: str) -> None:
    command = cli.get_command(Context(cli), name)
    assert command is not None
    without_help = [
        option.name
        for option in command.params
        if option.param_type_name == "option" and not getattr(option, "help", None)
    ]
    assert without_help == []
