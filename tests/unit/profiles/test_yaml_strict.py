import math
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mrunners.errors import InvalidInputError
from mrunners.profiles import yaml_strict
from mrunners.profiles.yaml_strict import MAX_PROFILE_BYTES
from tests.unit.profiles.one_document import load_yaml


def problems(text: bytes | str) -> list[str]:
    with pytest.raises(InvalidInputError) as caught:
        load_yaml(text, what="it", known_keys={"known"})
    return list(caught.value.problems)


def test_plain_yaml_is_read() -> None:
    text = b"\xef\xbb\xbfa: 1\nb:\n- -2.5\n- 'x'\n- {c: ~, d: true}\n- [1e3, .5, null]\n- |\n  t\n"
    assert load_yaml(text, what="it") == {
        "a": 1,
        "b": [-2.5, "x", {"c": None, "d": True}, [1000.0, 0.5, None], "t\n"],
    }


@pytest.mark.parametrize(
    "word",
    [
        "yes",
        "No",
        "on",
        "OFF",
        "y",
        "1:30",
        "010",
        "0o17",
        "0x1F",
        "0b1",
        "1_000",
        "+1",
        "2001-01-01",
        "2001-01-01T00:00:00Z",
        "tRue",
        "=",
    ],
)
def test_scalars_that_yaml_versions_read_differently_are_text(word: str) -> None:
    assert load_yaml(f"a: {word}", what="it") == {"a": word}


def test_an_empty_document_is_none() -> None:
    assert load_yaml("# only a comment\n", what="it") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [", ["line 2, column 1: not valid YAML: while parsing a flow node did not find"]),
        ("a: b: c", ["line 1, column 5: not valid YAML: mapping values are not allowed in"]),
        (
            "known: 1\nb: 2\nknown: 3\n",
            ["line 3, column 1: the key 'known' is given twice (first on line 1)"],
        ),
        ("s3cret: 1\ns3cret: 3", ["line 2, column 1: a key is given twice (first on line 1)"]),
        (
            "x: &a 1\ny: *a\n",
            [
                "line 1, column 4: anchors (&) are not allowed",
                "line 2, column 4: aliases (*) are not allowed; write the value out",
            ],
        ),
        ("x: !!str 1", ["line 1, column 4: tags (!) are not allowed"]),
        ("x: !!binary aGk=", ["line 1, column 4: tags (!) are not allowed"]),
        ("<<: {a: 1}", ["line 1, column 1: merge keys (<<) are not allowed; write the keys out"]),
        ("1: a", ["line 1, column 1: a key must be text, got a number"]),
        ("true: a", ["line 1, column 1: a key must be text, got true or false"]),
        ("~: a", ["line 1, column 1: a key must be text, got nothing"]),
        ("? [a]\n: b", ["line 1, column 3: a key must be text, got a list"]),
        ("--- 1\n" * 1_001, ["line 1001, column 1: more than 1,000 documents"]),
        ("a: .nan", ["line 1, column 4: .nan is not allowed: numbers must be finite"]),
        ("a: -.INF", ["line 1, column 4: -.INF is not allowed: numbers must be finite"]),
        ("a: 1e999", ["line 1, column 4: a number is too large"]),
        ("a: " + "9" * 5000, ["line 1, column 4: a number has too many digits"]),
        ("a: \x01", ["line 1, column 4: a character that YAML does not allow"]),
        ("é: \x01", ["line 1, column 4: a character that YAML does not allow"]),
        ("a:\n b: \x01", ["line 2, column 5: a character that YAML does not allow"]),
        (
            '"\\UFFFFFFFF"',
            ["line 1, column 4: not valid YAML: while parsing a quoted scalar found"],
        ),
        ('"\\ud800"', ["line 1, column 4: not valid YAML: while parsing a quoted scalar found"]),
        (b"a: 1\nb: \xff", ["line 2: not valid UTF-8"]),
        ("a: 1".encode("utf-16"), ["line 1: not valid UTF-8"]),
        ("\ud800", ["not valid UTF-8"]),
        ("[" * 100, ["line 1, column 33: nested more than 32 levels deep"]),
        ("[" * 100_000, ["line 1, column 1001: not valid YAML: while increasing flow level"]),
        ("- " * 100_000, ["line 1, column 65: nested more than 32 levels deep"]),
    ],
)
def test_each_error_has_its_line_and_column(text: bytes | str, expected: list[str]) -> None:
    lines = problems(text)
    assert len(lines) == len(expected)
    assert all(line.startswith(f"it: {start}") for line, start in zip(lines, expected, strict=True))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1", None),
        ("a: [", ["line 1, column 5: not valid YAML: while parsing a flow node expected the node"]),
        ("é: \x01", ["line 1, column 4: a character that YAML does not allow"]),
        ('"\\UFFFFFFFF"', ["line 1, column 1: not valid YAML: a malformed escape or directive"]),
        ('"\\ud800"', ["line 1, column 1: half a surrogate pair is not a character"]),
        ("[" * 100_000, ["line 1, column 33: nested more than 32 levels deep"]),
    ],
)
def test_the_parser_in_python_has_positions_too(
    text: str, expected: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml_strict, "_PARSER", yaml.SafeLoader)
    if expected is None:
        assert load_yaml(text, what="it") == {"a": 1}
    else:
        assert [line[: len(f"it: {expected[0]}")] for line in problems(text)] == [
            f"it: {line}" for line in expected
        ]


@pytest.mark.parametrize(
    "text",
    [
        "hunter2: 1\nhunter2: 2",
        "a: 'hunter2",
        "a: hunter2: 3",
        "hunter2\n: a\n-",
        "%hunter2 x\n--- a",
        "a: !hunter2!x 1",
        "a: &hunter2 1",
        "a: *hunter2",
        '"\\hunter2"',
        "? [hunter2]\n: a",
        "hunter2: \x01",
        b"hunter2: \xff",
    ],
)
def test_nothing_of_the_text_is_repeated(text: bytes | str) -> None:
    assert all("hunter2" not in line for line in problems(text))


def test_a_large_text_is_refused_before_it_is_read() -> None:
    started = time.monotonic()
    assert problems(b"a" * (2 * 1024 * 1024)) == ["it is larger than 512 KiB"]
    assert time.monotonic() - started < 60
    assert load_yaml("a" * MAX_PROFILE_BYTES, what="it") == "a" * MAX_PROFILE_BYTES


def test_an_alias_bomb_is_refused_at_its_first_anchor() -> None:
    bomb = "a: &a [x, x, x, x]\n" + "".join(
        f"{after}: &{after} [*{before}, *{before}, *{before}]\n"
        for before, after in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert problems(bomb)[0] == "it: line 1, column 4: anchors (&) are not allowed"


def test_after_twenty_errors_the_rest_is_not_read() -> None:
    lines = problems("\n".join(["a: 1"] * 1000))
    assert len(lines) == 21
    assert lines[-1].endswith("too many errors; the rest was not read")


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**62), max_value=2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(_VALUES)
def test_json_is_read_back_unchanged(value: object) -> None:
    # All texts are double-quoted, so that only this reader's rules for scalars are tested.
    text = yaml.dump(value, Dumper=_Quoting, allow_unicode=False)
    assert load_yaml(text, what="it") == value


class _Quoting(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


_Quoting.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'),
)


@given(st.text(st.sampled_from("ab:-[]{}&*!|>%@'\"\\?,#~\n \t01.eU\x00\ufeff\ud800"), max_size=60))
def test_any_text_is_a_value_or_printable_problems(text: str) -> None:
    lines: tuple[str, ...] = ()
    value: object = None
    try:
        value = load_yaml(text, what="it")
    except InvalidInputError as error:
        lines = error.problems
    assert all(line.isprintable() for line in lines)
    assert not isinstance(value, float) or math.isfinite(value)
