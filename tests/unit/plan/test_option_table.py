"""One table of options feeds the records, the form, the schema, the flags and the docs."""

import re
import subprocess
import sys
from dataclasses import replace
from typing import Annotated, Any

import click
import pytest
from click.testing import CliRunner
from prefect import flow
from prefect.utilities.callables import parameter_schema
from pydantic import BaseModel, create_model

from dev.cli_reference import reference
from mrunners.errors import InvalidInputError
from mrunners.plan.option_row import Option, optional
from mrunners.plan.option_table import DEFAULT_TRACKER, OPTIONS
from mrunners.plan.options import AdvancedOptions, RunOptions, described, validate_options
from mrunners_cli.commands.run import run
from mrunners_cli.flags import option_from_table
from mrunners_cli.spelling import flag_of
from mrunners_flows.new_run import multirunners
from tests.unit.env import options

SCHEMA = RunOptions.model_json_schema()
FIELDS: dict[str, dict[str, Any]] = {
    **SCHEMA["properties"],
    **SCHEMA["$defs"]["AdvancedOptions"]["properties"],
}
TEXTS = {
    "namespace": ["load", "a-b", "a" * 63, "a" * 64, "", "-a", "Load", "a.b", "a/b"],
    "tracker": ["nightly", "n" * 50, "n" * 51, "", "n-", "n_n"],
    "service_account": ["default", "a.b", "a" * 253, "a" * 254, "", ".a", "a..b", "A"],
    "timeout": ["", "90s", "1h30m", "500ms", "1.5h", "10", "soon", "-1s", "1 h"],
    "total": ["", "1", "999999999", "0", "1000000000", "-1", "1e3", "10s"],
    "duration": ["", "60", "60s", "1h30m", "0", "-5", "soon"],
    "rate": ["", "0", "10", "0.5", "-1", ".5", "1e3", "fast"],
    "start_timeout": ["5m", "", "5", "m"],
    "start_delay": ["", "30s", "5", "m"],
    "node_log_limit": ["10Mi", "1.5Gi", "1048576", "10 Mi", "", "10MiB", "-1"],
    "max_qps": ["", "0", "20", "0.5", "-1", ".5", "1e3", "fast"],
    "report_logs": ["1", "8", "0", "9", "01", "", "auto"],
}

# An option that does not exist, as a row that somebody adds to the table.
BURST = Option(
    name="burst",
    title="Burst",
    help="How many requests a runner may send at once.",
    default="10",
    schema={"pattern": "^[0-9]+$", "maxLength": 6},
    metavar="COUNT",
    short="-b",
)
SHAPE = Option(
    name="load_shape",
    title="Load shape",
    help="constant: one rate; ramp: a rate that grows.",
    default="constant",
    choices=("constant", "ramp"),
)


def form_accepts(field: dict[str, Any], text: str) -> bool:
    longest, shortest = field["maxLength"], field.get("minLength", 0)
    return shortest <= len(text) <= longest and re.search(field["pattern"], text) is not None


def is_valid(name: str, text: str) -> bool:
    try:
        validate_options(options(**{name: text}))
    except InvalidInputError:
        return False
    return True


@pytest.mark.parametrize(("name", "text"), [(n, text) for n in TEXTS for text in TEXTS[n]])
def test_the_form_accepts_what_the_check_accepts_and_no_more(name: str, text: str) -> None:
    assert form_accepts(FIELDS[name], text) is is_valid(name, text)


def test_every_text_that_a_user_types_has_a_maximum_length() -> None:
    typed = {name: field for name, field in FIELDS.items() if field.get("type") == "string"}
    assert [name for name, field in typed.items() if "maxLength" not in field] == []
    assert "maxItems" in FIELDS["runners"]


def test_a_value_that_the_form_refuses_reaches_the_check_that_says_why() -> None:
    assert options(namespace="A" * 99).namespace == "A" * 99


def test_an_optional_schema_also_accepts_an_empty_text() -> None:
    schema = optional(OPTIONS["tracker"].schema)
    accepted = [form_accepts(schema, text) for text in ("", "nightly", "n-", "n" * 51)]
    assert accepted == [True, True, False, False]


def test_the_options_are_the_rows_of_the_table_each_used_once() -> None:
    fields = [
        *((name, False) for name in RunOptions.model_fields if name != "advanced"),
        *((name, True) for name in AdvancedOptions.model_fields),
    ]
    assert fields == [(option.name, option.advanced) for option in OPTIONS.values()]


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
def test_a_field_has_its_rows_default_title_help_and_schema(option: Option) -> None:
    model = AdvancedOptions if option.advanced else RunOptions
    field = model.model_fields[option.name]
    assert field.is_required() is (option.default is None)
    if option.default is not None:
        assert field.default == option.default
    assert (field.title, field.description) == (option.title, option.help)
    assert (field.json_schema_extra or {}) == option.schema


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
def test_a_row_has_a_flag_with_its_help_and_default_or_says_that_it_has_none(
    option: Option,
) -> None:
    flags = {param.name: param for param in run.params if isinstance(param, click.Option)}
    if not option.flag:
        assert option.name not in flags
        return
    flag = flags[option.name]
    assert flag.opts == [flag_of(option.name), *([option.short] if option.short else [])]
    assert flag.multiple is option.multiple
    if option.name == "namespace":
        # The command line also takes it as an argument, or from the context.
        assert flag.help == (
            "The Kubernetes namespace of the Jobs and their tracker; NAMESPACE is the same. "
            "Default: the context's namespace."
        )
        assert not flag.required
        return
    assert flag.help == option.help
    assert flag.required is (option.default is None)
    if isinstance(flag.type, click.Choice):
        assert tuple(flag.type.choices) == option.choices


def test_a_choice_of_the_table_is_the_enumeration_of_its_field() -> None:
    for option in OPTIONS.values():
        if option.choices:
            definition = FIELDS[option.name]["$ref"].rpartition("/")[2]
            assert SCHEMA["$defs"][definition]["enum"] == list(option.choices)


def test_the_tracker_has_the_default_name() -> None:
    assert OPTIONS["tracker"].default == DEFAULT_TRACKER


def test_the_table_imports_nothing_heavy() -> None:
    program = (
        "import sys, mrunners.plan.option_table; "
        "sys.exit(any(name in sys.modules for name in ('pydantic', 'prefect', 'kubernetes')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def with_option(option: Option) -> type[BaseModel]:
    """`RunOptions` with one more field, for a row of the table."""
    field: dict[str, Any] = {option.name: (Annotated[str, described(option)], option.default)}
    return create_model("MoreOptions", __base__=RunOptions, **field)


def command_with(option: Option) -> click.Command:
    """A command with one option of the table, which prints its value."""

    @click.command("burst")
    @option_from_table(option)
    def print_value(**values: object) -> None:
        """Print a value."""
        click.echo(values[option.name])

    return print_value


def form_of(model: type[BaseModel]) -> dict[str, Any]:
    """The form that Prefect shows for a flow that takes this model."""

    def run_with(options: Any) -> None:
        """Do nothing."""

    run_with.__annotations__["options"] = model
    definitions = parameter_schema(flow(run_with)).model_dump()["definitions"]
    properties: dict[str, Any] = definitions[model.__name__]["properties"]
    return properties


@pytest.mark.parametrize("option", [BURST, SHAPE], ids=lambda option: option.name)
class TestOneMoreRow:
    """One option that is added to the table appears everywhere."""

    def test_it_is_a_flag_in_the_help(self, option: Option) -> None:
        command = command_with(option)
        text = " ".join(CliRunner().invoke(command, ["--help"]).stdout.split())
        value = option.metavar or f"[{'|'.join(option.choices)}]"
        flags = f"{option.short}, {flag_of(option.name)}" if option.short else flag_of(option.name)
        assert f"{flags} {value} {option.help} [default: {option.default}]" in text
        assert CliRunner().invoke(command).stdout == f"{option.default}\n"

    def test_it_is_in_the_json_schema(self, option: Option) -> None:
        field = with_option(option).model_json_schema()["properties"][option.name]
        assert field == {
            "title": option.title,
            "description": option.help,
            "default": option.default,
            "type": "string",
            **option.schema,
        }

    def test_it_is_in_the_form_with_its_label_and_bounds(self, option: Option) -> None:
        field = form_of(with_option(option))[option.name]
        assert (field["title"], field["description"]) == (option.title, option.help)
        assert {name: field[name] for name in option.schema} == option.schema

    def test_it_is_in_the_reference(self, option: Option) -> None:
        (row,) = [
            line
            for line in reference(command_with(option), "mrunners burst").splitlines()
            if f"`{flag_of(option.name)}`" in line
        ]
        choices = " \\| ".join(f"`{choice}`" for choice in option.choices)
        for text in (option.metavar or choices, f"`{option.default}`"):
            assert text in row
        assert option.help in row


def test_a_required_row_is_required_everywhere() -> None:
    required = replace(BURST, default=None)
    annotation: Any = Annotated[str, described(required)]
    model = create_model("MoreOptions", __base__=RunOptions, burst=(annotation, ...))
    assert "burst" in model.model_json_schema()["required"]
    done = CliRunner().invoke(command_with(required))
    assert (done.exit_code, "Missing option '--burst'" in done.output) == (2, True)
    assert "| required |" in reference(command_with(required), "mrunners burst")


def test_the_flow_takes_the_options_of_the_table() -> None:
    definitions = parameter_schema(multirunners).model_dump()["definitions"]
    form = {
        **definitions["RunOptions"]["properties"],
        **definitions["AdvancedOptions"]["properties"],
    }
    for option in OPTIONS.values():
        assert form[option.name]["title"] == option.title
        # What a form must ask for says more than the help.
        assert form[option.name]["description"].startswith(option.help)
