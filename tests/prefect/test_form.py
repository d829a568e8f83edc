"""The form that Prefect makes of a flow's parameters, as the schema that it deploys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from prefect.utilities.callables import parameter_schema

from mrunners_flows.existing_runs import delete, result, wait
from mrunners_flows.new_run import multirunners

FLOWS: list[Any] = [multirunners, wait, result, delete]


def _fields(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from schema["properties"].items()
    for name, model in schema.get("definitions", {}).items():
        for field, described in model.get("properties", {}).items():
            yield f"{name}.{field}", described


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: str(flow.name))
def test_every_field_has_a_title_for_people_and_a_description(flow: Any) -> None:
    fields = dict(_fields(parameter_schema(flow).model_dump()))
    bare = [name for name, field in fields.items() if field["title"] == name.rsplit(".", 1)[-1]]
    silent = [name for name, field in fields.items() if len(field.get("description", "")) < 10]
    assert (bare, silent) == ([], [])
    assert all(field["title"][0].isupper() for field in fields.values())


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: str(flow.name))
def test_what_can_be_chosen_is_an_enumeration_and_nothing_unknown_is_taken(flow: Any) -> None:
    schema = parameter_schema(flow).model_dump()
    models = {name: m for name, m in schema["definitions"].items() if m["type"] == "object"}
    assert models
    assert all(model["additionalProperties"] is False for model in models.values())


def test_the_fields_of_a_run_come_in_the_order_in_which_people_think() -> None:
    schema = parameter_schema(multirunners).model_dump()
    order = {name: list(m.get("properties", ())) for name, m in schema["definitions"].items()}
    assert list(schema["properties"]) == ["options", "policy"]
    assert order["RunOptions"] == [
        "runners",
        "runner_image",
        "namespace",
        "service_account",
        "kubeconfig",
        "context",
        "wait",
        "timeout",
        "slo",
        "fail_on",
        "advanced",
    ]
    assert set(order["AdvancedOptions"]) >= {"tracker", "if_exists", "spread", "max_qps", "run_key"}
    assert order["RunPolicy"] == [
        "previous_run",
        "save",
        "on_incomplete",
        "cleanup",
        "on_cancel",
        "files",
    ]
    assert order["ReportFiles"] == ["folder", "url"]


def test_what_every_new_run_needs_is_asked_for_and_nothing_else() -> None:
    schema = parameter_schema(multirunners).model_dump()
    options = schema["definitions"]["RunOptions"]
    assert schema["required"] == ["options"]
    assert options["required"] == ["runners", "runner_image", "namespace"]
    assert [
        n for n, f in options["properties"].items() if "default" not in f and n != "advanced"
    ] == [
        "runners",
        "runner_image",
        "namespace",
    ]


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: str(flow.name))
def test_no_pattern_looks_like_markdown_which_the_form_would_make_of_it(flow: Any) -> None:
    patterns = [
        field["pattern"]
        for _, field in _fields(parameter_schema(flow).model_dump())
        if "pattern" in field
    ]
    assert patterns
    assert [pattern for pattern in patterns if re.search(r"\]\(|[*_`]", pattern)] == []


def test_no_parameter_could_hold_a_secret() -> None:
    named = {name for flow in FLOWS for name, _ in _fields(parameter_schema(flow).model_dump())}
    found = {
        name for name in named if any(word in name for word in ("token", "password", "secret"))
    }
    # The names of Secrets, and not what they hold.
    assert found == {"AdvancedOptions.image_pull_secret"}
