import re
from typing import Any

import pytest

from mrunners.errors import InvalidInputError
from mrunners.plan.options import RunOptions, validate_options
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
    "start_timeout": ["5m", "", "5", "m"],
    "node_log_limit": ["10Mi", "1.5Gi", "1048576", "10 Mi", "", "10MiB", "-1"],
}


def takes(field: dict[str, Any], text: str) -> bool:
    longest, least = field["maxLength"], field.get("minLength", 0)
    return least <= len(text) <= longest and re.search(field["pattern"], text) is not None


def good(name: str, text: str) -> bool:
    try:
        validate_options(options(**{name: text}))
    except InvalidInputError:
        return False
    return True


@pytest.mark.parametrize(("name", "text"), [(n, text) for n in TEXTS for text in TEXTS[n]])
def test_the_form_takes_what_the_check_takes_and_no_more(name: str, text: str) -> None:
    assert takes(FIELDS[name], text) is good(name, text)


def test_every_text_that_a_user_types_has_a_bound() -> None:
    typed = {name: field for name, field in FIELDS.items() if field.get("type") == "string"}
    assert [name for name, field in typed.items() if "maxLength" not in field] == []
    assert "maxItems" in FIELDS["runners"]


def test_what_is_out_of_bounds_reaches_the_check_that_says_why() -> None:
    assert options(namespace="A" * 99).namespace == "A" * 99
