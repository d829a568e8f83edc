from collections.abc import Callable
from pathlib import Path

import pytest

from mrunners.errors import ForbiddenError, InvalidInputError
from mrunners.profiles.images import KperfRelease
from mrunners.profiles.loading import LoadedRunner, load_runners, parse_runners, read_runners
from mrunners.profiles.rendering import profile_digest, render_profile
from mrunners.profiles.sources import SourceContext
from mrunners.profiles.uris import RunnerSpec
from tests.unit.profiles.one_document import parse_profile
from tests.unit.profiles.test_sources import FakeConfigMaps

GOOD = """\
version: 1
spec:
  rate: 10
  total: 100
  duration: 3
  requests:
  - shares: 1
    staleList: {version: v1, resource: namespaces}
"""
WARNING = "specs[0]: both total and duration are set; duration is ignored"


def problems_of(call: Callable[[], object]) -> list[str]:
    with pytest.raises(InvalidInputError) as caught:
        call()
    return list(caught.value.problems)


def test_valid_runners_are_parsed_and_each_profile_is_loaded_once(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(GOOD)
    uris = [
        f"file://{path}?numbers=2",
        "configmap:///ns/x?numbers=1",
        "configmap:///ns/x?numbers=3",
    ]
    reader = FakeConfigMaps({("ns", "x"): {"only": GOOD}})
    profile = parse_profile(GOOD).profile
    rendered = render_profile(profile)
    parts = [("file", str(path), 2), ("configmap", "/ns/x", 1), ("configmap", "/ns/x", 3)]
    specs = [
        RunnerSpec(uri=uri, scheme=scheme, path=profile_path, pod_count=pod_count)
        for uri, (scheme, profile_path, pod_count) in zip(uris, parts, strict=True)
    ]
    expected = [
        LoadedRunner(
            spec=spec,
            pod_count=spec.pod_count or 0,
            profile=profile,
            rendered=rendered,
            digest=profile_digest(rendered),
            warnings=(WARNING,),
        )
        for spec in specs
    ]
    context = SourceContext(reader)
    assert parse_runners(uris) == specs
    assert load_runners(specs, context, None) == expected
    assert reader.requested == [("ns", "x")]
    assert read_runners(uris, context, KperfRelease(0, 3, 5)) == tuple(expected)
    assert LoadedRunner.model_validate_json(expected[0].model_dump_json()) == expected[0]


def test_all_errors_of_all_uris_and_profiles_are_reported_at_once(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(GOOD.replace("rate", "rat").replace("total: 100", "total: x"))
    uris = [
        f"file://{bad}?numbers=0",
        "rel?numbers=1",
        "configmap:///ns/X?numbers=1",
        "configmap:///ns/none?numbers=1",
        f"file://{tmp_path}?numbers=1",
    ]
    context = SourceContext(FakeConfigMaps({}))
    of_uris = {
        0: ["numbers must be at least 1"],
        1: [
            "the URI has no scheme; it must start with configmap:///… or file:///…",
            "the path must be absolute: write three slashes, file:///abs/path",
        ],
        2: [
            "the ConfigMap's name must consist of lowercase letters, digits, '-' and '.', and "
            "each part between dots must start and end with a letter or digit, got 'X'"
        ],
    }
    of_profiles = {
        0: [
            "spec.rat: unknown key; did you mean 'rate'?",
            "spec.total: must be a whole number, got 'x'",
        ],
        3: ["ConfigMap ns/none does not exist"],
        4: [f"cannot load {tmp_path}: it is a directory; name the profile's file"],
    }

    def lines(*tables: dict[int, list[str]]) -> list[str]:
        return [
            f"runner {index + 1} of 5 ({uri}): {problem}"
            for index, uri in enumerate(uris)
            for table in tables
            for problem in table.get(index, [])
        ]

    assert problems_of(lambda: parse_runners(uris)) == lines(of_uris)
    assert problems_of(lambda: read_runners(uris, context, None)) == lines(of_uris, of_profiles)


def test_a_profile_is_checked_against_the_release_of_the_image(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(GOOD.replace("staleList", "watchList"))
    uri = f"file://{path}?numbers=2"
    release = KperfRelease(0, 2, 0)
    assert problems_of(lambda: read_runners([uri], SourceContext(), release)) == [
        f"runner 1 of 1 ({uri}): specs[0].requests[0].watchList: "
        "needs kperf 0.3.0 or later, but the image is kperf 0.2.0"
    ]


def test_a_profile_that_many_runners_have_is_reported_once(tmp_path: Path) -> None:
    bad, other = tmp_path / "bad.yaml", tmp_path / "other.yaml"
    bad.write_text(GOOD.replace("rate", "rat"))
    other.write_text(GOOD.replace("total", "totl"))
    context = SourceContext()
    rat = "spec.rat: unknown key; did you mean 'rate'?"
    totl = "spec.totl: unknown key; did you mean 'total'?"

    def lines(*uris: str) -> list[str]:
        problems = problems_of(lambda: read_runners(uris, context, None))
        if not any("numbers=0" in uri for uri in uris):
            assert problems_of(lambda: load_runners(parse_runners(uris), context, None)) == problems
        return problems

    assert lines(f"file://{bad}?numbers=1", f"file://{other}?numbers=1") == [
        f"runner 1 of 2 (file://{bad}?numbers=1): {rat}",
        f"runner 2 of 2 (file://{other}?numbers=1): {totl}",
    ]
    assert lines(*[f"file://{bad}?numbers={n}" for n in (1, 2)]) == [
        f"runners 1 and 2 of 2 (file://{bad}): {rat}"
    ]
    assert lines(*[f"file://{path}?numbers=1" for path in (bad, other, bad, bad)]) == [
        f"runners 1, 3 and 4 of 4 (file://{bad}): {rat}",
        f"runner 2 of 4 (file://{other}?numbers=1): {totl}",
    ]
    # What is wrong with a URI is its runner's alone.
    assert lines(*[f"file://{bad}?numbers={n}" for n in (1, 0, *range(1, 999))]) == [
        f"runners 1, 2 and 998 more of 1000 (file://{bad}): {rat}",
        f"runner 2 of 1000 (file://{bad}?numbers=0): numbers must be at least 1",
    ]


def test_the_number_of_runners_is_bounded() -> None:
    assert problems_of(lambda: parse_runners([])) == ["no runners: give at least one runner URI"]
    assert problems_of(lambda: parse_runners(["x"] * 1001)) == [
        "1001 runner URIs were given; at most 1000 are allowed"
    ]


def test_an_error_of_the_cluster_is_not_swallowed() -> None:
    class ForbiddenConfigMaps:
        def config_map_data(self, namespace: str, name: str) -> None:
            raise ForbiddenError(name, verb="get", resource="configmaps", namespace=namespace)

    with pytest.raises(ForbiddenError):
        read_runners(["configmap:///ns/x?numbers=1"], SourceContext(ForbiddenConfigMaps()), None)


def test_a_password_in_a_uri_is_not_repeated() -> None:
    (line, *_) = problems_of(lambda: parse_runners(["file://me:secret@host/x?numbers=1"]))
    assert line == "runner 1 of 1 (file://…@host/x?numbers=1): no user info (…@) is allowed"
