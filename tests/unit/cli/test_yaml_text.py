"""Our YAML is what PyYAML writes, and says what was meant."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mrunners_cli.yaml_text import reference_yaml, to_yaml, to_yaml_stream
from tests.unit.plan.test_job import manifest_of

WORDS = [
    *[
        "",
        "a",
        "-",
        "0",
        "08",
        "1.5",
        "1e3",
        "yes",
        "No",
        "null",
        "~",
        "y",
        "on",
        "1:30",
        "0x1F",
        "=",
    ],
    *[
        "a: b",
        "a #b",
        " a",
        "a ",
        "a:",
        "[a]",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "it's",
        '"',
        "---",
        "|",
    ],
    *[
        "a\nb",
        "a\n",
        "a\n\n",
        "\na",
        "  a\nb",
        "a\n b\n",
        "a \nb\n",
        "a\n\nb\n",
        "a: #\n-\n",
        "a\n\tb\n",
    ],
    *["a\r\nb", "a\tb", "a\x85b", "a\u2028b\n", "é", "é\né\n", "\x00", "2026-01-02", "a " * 60],
    *["file:///etc/load.yaml?numbers=10", "=", "|", "a\n\tb\n"],
]
TEXTS = (
    st.sampled_from(WORDS)
    | st.text(max_size=20)
    | st.text("ab #-:\n", max_size=12)
    | st.text("0123456789abcdef", min_size=64, max_size=64)
)
KEYS = st.text("abc-./_ 0:#é'", min_size=1, max_size=12) | st.sampled_from(["a", "b/c", "on", "1"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS


def values(keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=12,
    )


@given(values(KEYS).filter(lambda value: isinstance(value, dict | list) and value))
def test_it_is_what_pyyaml_writes(value: Any) -> None:
    # PyYAML ends a document with dots whose last text ends with empty lines.
    assert to_yaml(value) == reference_yaml(value).removesuffix("...\n")


@given(values(st.text(max_size=200)))
def test_it_reads_back_as_it_was(value: Any) -> None:
    assert yaml.safe_load(to_yaml(value)) == value


def test_a_stream_has_a_document_for_each_value() -> None:
    text = to_yaml_stream([{"a": [1, {"b": "x\ny\n"}]}, {}, [[]]])
    assert text == "a:\n- 1\n- b: |\n    x\n    y\n---\n{}\n---\n- []\n"
    assert list(yaml.safe_load_all(text)) == [{"a": [1, {"b": "x\ny\n"}]}, {}, [[]]]


@pytest.mark.parametrize("changes", [{}, {"report": "plain", "spread": "require"}])
def test_a_job_is_written_as_by_pyyaml(changes: dict[str, str]) -> None:
    manifest = manifest_of(**changes)
    assert to_yaml(manifest) == reference_yaml(manifest)
