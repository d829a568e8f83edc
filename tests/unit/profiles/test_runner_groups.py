"""kperf's runner groups, as `kperf runnergroup run` takes them and as its server has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mrunners.errors import InvalidInputError
from mrunners.profiles.loading import LoadedRunner, load_runners, parse_runners, read_runners
from mrunners.profiles.runner_groups import RunnerGroup
from mrunners.profiles.sources import SourceContext
from tests.unit.env import profile
from tests.unit.profiles.one_document import parse_profile

PROFILE = profile("inner")


def indented(text: str, spaces: int) -> str:
    return "".join(f"{' ' * spaces}{line}\n" for line in text.splitlines())


def group(fields: str = "count: 3", text: str = PROFILE) -> str:
    return f"{fields}\nloadProfile:\n{indented(text, 2)}"


def runners(folder: Path, text: str, query: str = "") -> tuple[LoadedRunner, ...]:
    path = folder / "group.yaml"
    path.write_text(text)
    uris = [f"file://{path}{query}"]
    read = read_runners(uris, SourceContext(), None)
    assert tuple(load_runners(parse_runners(uris), SourceContext(), None)) == read
    return read


def problems(folder: Path, text: str, query: str = "") -> list[str]:
    with pytest.raises(InvalidInputError) as caught:
        runners(folder, text, query)
    return [problem.partition(".yaml")[2].partition("): ")[2] for problem in caught.value.problems]


def test_a_group_is_its_profile_with_its_count_nodes_and_account(tmp_path: Path) -> None:
    fields = (
        "count: 3\n"
        "nodeAffinity:\n  kperf: ['true']\n  example.com/pool: [a, b]\n"
        "serviceAccount: runner\n"
        "ownerReference: v1:ConfigMap:x:y"
    )
    (runner,) = runners(tmp_path, group(fields))
    alone = parse_profile(PROFILE)
    assert (runner.profile, runner.pod_count) == (alone.profile, 3)
    assert runner.node_affinity == {"kperf": ("true",), "example.com/pool": ("a", "b")}
    assert runner.service_account == "runner"
    assert runner.warnings == (
        *alone.warnings,
        "ownerReference: is ignored; the tracker owns the Jobs",
    )


def test_a_group_may_be_as_kperfs_server_has_it(tmp_path: Path) -> None:
    text = f"name: a\nspec:\n{indented(group('count: 2'), 2)}status: {{state: running}}\n"
    (runner,) = runners(tmp_path, text)
    assert (runner.profile, runner.pod_count) == (parse_profile(PROFILE).profile, 2)


def test_the_uris_number_wins_and_that_is_said(tmp_path: Path) -> None:
    (runner,) = runners(tmp_path, group(), "?numbers=5")
    assert runner.pod_count == 5
    assert runner.warnings[-1] == (
        "count: 3 of the runner group is not used, because the URI has numbers=5"
    )
    (same,) = runners(tmp_path, group(), "?numbers=3")
    assert same.warnings == parse_profile(PROFILE).warnings


@pytest.mark.parametrize("text", [PROFILE, group("serviceAccount: x")])
def test_without_a_count_the_uri_needs_a_number(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, text) == ["numbers is missing: add ?numbers=N, the number of pods"]
    (runner,) = runners(tmp_path, text, "?numbers=2")
    assert runner.pod_count == 2


def test_each_document_is_a_runner(tmp_path: Path) -> None:
    text = f"---\n{group()}---\n{group('count: 1', profile('second'))}---\n"
    first, second = runners(tmp_path, text)
    assert (first.pod_count, second.pod_count) == (3, 1)
    assert [one.profile.description for one in (first, second)] == ["inner", "second"]
    assert [one.pod_count for one in runners(tmp_path, text, "?numbers=7")] == [7, 7]


def test_the_problems_of_all_documents_are_told_with_their_places(tmp_path: Path) -> None:
    broken = PROFILE.replace("rate:", "rat:")
    text = f"{group('count: 0')}---\n{group(text=broken)}---\n{PROFILE}"
    assert problems(tmp_path, text) == [
        "document 1 of 3: count: must be at least 1, got 0",
        "document 2 of 3: loadProfile: spec.rat: unknown key; did you mean 'rate'?",
    ]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ("count: x", "count: must be a whole number, got 'x'"),
        ("count: 10001", "count: must be at most 10000, got 10001"),
        ("cont: 3", "cont: unknown key; did you mean 'count'?"),
        ("serviceAccount: A", "serviceAccount: must consist of lowercase letters"),
        ("nodeAffinity: {a b: [x]}", "nodeAffinity: must have 1 to 63 letters"),
        ("nodeAffinity: {a: []}", "nodeAffinity: needs at least one value for each label"),
        ("nodeAffinity: {a: ['?']}", "nodeAffinity: must have 1 to 63 letters"),
        ("nodeAffinity: {A/b: [x]}", "nodeAffinity: the part before the '/' of a label's key"),
    ],
)
def test_a_field_that_kubernetes_would_refuse_is_named(
    tmp_path: Path, fields: str, problem: str
) -> None:
    (found,) = problems(tmp_path, group(fields), "?numbers=1")
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        ("{mode: weighted-random, modeConfig: {}}", "has request modes (mode, modeConfig)"),
        (
            "{runnerCount: 2, connsPerRunner: 2}",
            "replays recorded requests (runnerCount, connsPerRunner)",
        ),
    ],
)
def test_what_no_release_runs_is_refused_by_its_name(tmp_path: Path, spec: str, what: str) -> None:
    for text in (f"version: 1\nspec: {spec}", f"version: 1\nspecs: [{spec}]"):
        assert problems(tmp_path, text, "?numbers=1") == [
            f"the load profile {what}, which no kperf release runs (up to 0.3.5)"
        ]


def test_documents_are_bounded_like_uris(tmp_path: Path) -> None:
    path = tmp_path / "many.yaml"
    path.write_text("---\n".join([PROFILE] * 501))
    uris = [f"file://{path}?numbers={count}" for count in (1, 2)]
    with pytest.raises(InvalidInputError, match="are 1,002 runners; at most 1,000 are allowed"):
        read_runners(uris, SourceContext(), None)


def test_an_empty_group_says_nothing() -> None:
    assert RunnerGroup() == RunnerGroup(count=None, node_affinity={}, service_account=None)
