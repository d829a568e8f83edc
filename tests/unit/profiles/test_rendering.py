import hashlib
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mrunners.profiles.expectations import (
    expected_samples,
    expected_seconds,
    target_clients,
    target_rate,
)
from mrunners.profiles.parsing import ParsedDocument
from mrunners.profiles.profile import LoadProfile
from mrunners.profiles.rendering import LEAST_REQUEST_BYTES, profile_digest, render_profile
from mrunners.profiles.requests import RequestKind
from tests.unit.profiles.one_document import parse_profile

EXAMPLES = Path(__file__).parents[3] / "examples" / "profiles"

SPEC = """\
  rate: 2.5
  total: 1000
  duration: 0
  conns: 1
  client: 1
  contentType: json
  disableHTTP2: false
  maxRetries: 0
  requests:
  - shares: 1
    quorumList:
      group: ""
      version: v1
      resource: pods
      namespace: ""
      limit: 0
      selector: "app=x"
      fieldSelector: ""
      seletor: "app=x"
  - shares: 0
    watchList:
      group: ""
      version: v1
      resource: pods
      namespace: "on"
      selector: "010"
      fieldSelector: ""
"""


def profile(**spec: object) -> LoadProfile:
    request = {"shares": 1, "staleGet": {"version": "v1", "resource": "pods", "name": "x"}}
    return LoadProfile.model_validate(
        {"version": 1, "specs": [{"requests": [request], **spec}]}, by_name=False, by_alias=True
    )


def test_one_spec_is_written_for_old_and_new_releases() -> None:
    # Read with the structs of kperf v0.3.4 and v0.3.5 and yaml.v2, this gives the same load.
    requests = [
        {"shares": 1, "quorumList": {"version": "v1", "resource": "pods", "selector": "app=x"}},
        {
            "watchList": {
                "version": "v1",
                "resource": "pods",
                "namespace": "on",
                "selector": "010",
            }
        },
    ]
    entry = SPEC.replace("  rate", "- rate", 1)
    expected = f'version: 1\ndescription: "a \\u20AC"\nspec:\n{SPEC}specs:\n{entry}'
    value = LoadProfile.model_validate(
        {"version": 1, "description": "a €", "specs": [{"rate": 2.5, "requests": requests}]}
    )
    assert render_profile(value) == expected


class _ReferenceDumper(yaml.SafeDumper):
    """Writes as the renderer does, with PyYAML's own emitter."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9._/-]*", text)
        reserved = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
        style = None if plain and text.lower() not in reserved else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_ReferenceDumper.add_representer(str, _ReferenceDumper.represent_text)


@given(
    st.text(st.sampled_from("ab:-[]{}&*!|>%@'\"\\?,#~\n \t01.eU\x00\ufeff€😀\x85\u2028yn")),
    st.floats(0, 2**31 - 1).filter(lambda rate: not rate.is_integer()),
)
def test_a_profile_is_rendered_as_pyyaml_would_write_it(text: str, rate: float) -> None:
    value = LoadProfile(version=1, description=text, specs=profile(rate=rate).specs)
    rendered = render_profile(value)
    document = yaml.safe_load(rendered)
    assert rendered == yaml.dump(
        document, Dumper=_ReferenceDumper, sort_keys=False, default_flow_style=False, width=2**31
    )


# The shortest valid requests; every release's other defaults only make them longer.
_SHORTEST = {
    "staleList": {"version": "v", "resource": "r"},
    "quorumList": {"version": "v", "resource": "r"},
    "watchList": {"version": "v", "resource": "r"},
    "staleGet": {"version": "v", "resource": "r", "name": "n"},
    "quorumGet": {"version": "v", "resource": "r", "name": "n"},
    "put": {
        "version": "v1",
        "resource": "configmaps",
        "namespace": "n",
        "name": "n",
        "keySpaceSize": 1,
        "payloadSize": 1,
    },
    "patch": {
        "version": "v",
        "resource": "r",
        "name": "n",
        "keySpaceSize": 1,
        "patchType": "json",
        "body": "1",
    },
    "getPodLog": {"namespace": "n", "name": "n"},
    "postDel": {"version": "v1", "resource": "pods", "namespace": "n"},
}


def test_no_request_takes_less_than_what_the_early_check_assumes() -> None:
    def size(*kinds: str) -> int:
        requests = [{"shares": 1, kind: _SHORTEST[kind]} for kind in kinds]
        spec = {"rate": 1, "requests": requests}
        two = LoadProfile.model_validate({"version": 1, "specs": [spec, profile().specs[0]]})
        return len(render_profile(two))

    assert set(_SHORTEST) == set(RequestKind)
    least = min(size("put", kind) - size("put") for kind in _SHORTEST)
    assert least == LEAST_REQUEST_BYTES


def test_several_specs_are_written_for_new_releases_only() -> None:
    one = profile().specs[0]
    rendered = render_profile(LoadProfile(version=1, specs=(one, one)))
    assert "\nspec:" not in rendered
    assert "&" not in rendered


def test_the_digest_is_the_sha_256_of_the_text() -> None:
    rendered = render_profile(profile())
    assert profile_digest(rendered) == hashlib.sha256(rendered.encode()).hexdigest()


_TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
_WORD = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=9)
_TRICKY = st.sampled_from(["1e3", "null", "~", "yes", "0x1F", "1:30", "010", "=", "<<", "-", "#a"])
_GVR = {"version": _WORD | _TRICKY, "resource": _WORD | _TRICKY}
_KINDS = st.one_of(
    st.fixed_dictionaries(
        {"quorumList": st.fixed_dictionaries(_GVR, optional={"selector": _WORD | _TRICKY})}
    ),
    st.fixed_dictionaries({"staleGet": st.fixed_dictionaries({**_GVR, "name": _WORD | _TRICKY})}),
    st.fixed_dictionaries(
        {
            "getPodLog": st.fixed_dictionaries(
                {"namespace": _WORD, "name": _WORD},
                optional={"tailLines": st.integers(0, 9) | st.none()},
            )
        }
    ),
)
_SPECS = st.fixed_dictionaries(
    {
        "requests": st.lists(
            st.tuples(_KINDS, st.integers(1, 9)).map(lambda pair: {**pair[0], "shares": pair[1]}),
            min_size=1,
            max_size=3,
        )
    },
    optional={
        "rate": st.floats(0, 2**31 - 1),
        "total": st.integers(0, 2**31 - 1),
        "conns": st.integers(1, 65_535),
        "contentType": st.sampled_from(["json", "protobuf"]),
        "disableHTTP2": st.booleans(),
    },
)


@settings(max_examples=60)
@given(
    st.fixed_dictionaries(
        {
            "version": st.just(1),
            "description": _TEXT | _TRICKY,
            "specs": st.lists(_SPECS, min_size=1, max_size=3),
        }
    )
)
def test_a_rendered_profile_is_read_back(document: dict[str, object]) -> None:
    value = LoadProfile.model_validate(document)
    rendered = render_profile(value)
    assert rendered.isascii()
    assert parse_profile(rendered).profile == value
    assert render_profile(parse_profile(rendered).profile) == rendered


@pytest.mark.parametrize(
    ("spec", "seconds", "samples"),
    [
        ({"rate": 20, "total": 240}, 12.0, 240),
        ({"rate": 20}, 50.0, 1000),
        ({"total": 240}, None, 240),
        ({"rate": 2.5, "duration": 3}, 3.0, 8),
        ({"duration": 3}, 3.0, None),
        ({"rate": 5e-324, "total": 9}, None, 9),
    ],
)
def test_seconds_and_samples_are_known_when_the_profile_limits_them(
    spec: dict[str, object], seconds: float | None, samples: int | None
) -> None:
    value = profile(**spec)
    assert (expected_seconds(value), expected_samples(value)) == (seconds, samples)


def test_specs_run_one_after_the_other() -> None:
    one, other = profile(rate=10, total=50).specs[0], profile(rate=10, duration=7).specs[0]
    both = LoadProfile(version=1, specs=(one, other))
    assert (expected_seconds(both), expected_samples(both)) == (12.0, 120)


@pytest.mark.parametrize(
    ("specs", "rate", "clients"),
    [
        ([{"rate": 10, "total": 50, "client": 4}], 10.0, 4),
        ([{"rate": 2.5, "duration": 3}], 2.5, 1),
        ([{"duration": 3, "client": 2}], None, 2),
        ([{"rate": 10, "total": 50}, {"rate": 40, "duration": 10}], 30.0, 1),
        ([{"rate": 10, "total": 50}, {"duration": 10}], None, None),
        (
            [{"rate": 1, "duration": 1, "client": 1}, {"rate": 1, "duration": 1, "client": 2}],
            1.0,
            None,
        ),
        ([{"rate": 5e-324, "total": 9}], None, 1),
    ],
)
def test_the_target_of_a_pod_is_its_average_rate_and_its_clients(
    specs: list[dict[str, object]], rate: float | None, clients: int | None
) -> None:
    value = LoadProfile(version=1, specs=tuple(profile(**spec).specs[0] for spec in specs))
    assert (target_rate(value), target_clients(value)) == (rate, clients)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_the_examples_run_for_ten_to_fifteen_seconds(path: Path) -> None:
    parsed = parse_profile(path.read_bytes())
    assert parse_profile(render_profile(parsed.profile)) == ParsedDocument(parsed.profile, ())
    assert parsed.warnings == ()
    seconds = expected_seconds(parsed.profile)
    assert seconds is not None
    assert 10 <= seconds <= 15


def test_there_are_three_examples() -> None:
    assert sorted(path.name for path in EXAMPLES.glob("*.yaml")) == [
        "get-configmap.yaml",
        "list-namespaces.yaml",
        "mixed.yaml",
    ]
