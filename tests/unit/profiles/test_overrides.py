"""A run's total, duration and rate in place of those of its load profiles."""

from pathlib import Path

import pytest

from mrunners.errors import InvalidInputError
from mrunners.profiles.images import KperfRelease
from mrunners.profiles.loading import LoadedRunner, load_runners, parse_runners, read_runners
from mrunners.profiles.overrides import NO_OVERRIDES, ProfileOverrides
from mrunners.profiles.parsing import parse_documents
from mrunners.profiles.profile import LoadProfile
from mrunners.profiles.rendering import render_profile
from mrunners.profiles.sources import SourceContext

REQUESTS = "requests: [{shares: 1, staleList: {version: v1, resource: namespaces}}]"


def profile(limit: str, key: str = "spec") -> str:
    spec = f"{{rate: 10, {limit}, conns: 2, client: 4, {REQUESTS}}}"
    return f"version: 1\n{key}: {spec if key == 'spec' else f'[{spec}]'}\n"


def several(count: int) -> str:
    return "version: 1\nspecs:\n" + f"- {{total: 5, {REQUESTS}}}\n" * count


def parsed(text: str, overrides: ProfileOverrides = NO_OVERRIDES) -> LoadProfile:
    (document,) = parse_documents(text, overrides)
    return document.profile


@pytest.mark.parametrize("key", ["spec", "specs"])
@pytest.mark.parametrize(
    ("limit", "overrides", "as_if"),
    [
        ("total: 36000", ProfileOverrides(total=100), "total: 100"),
        ("duration: 60", ProfileOverrides(total=100), "total: 100"),
        ("duration: 60", ProfileOverrides(duration=5), "duration: 5"),
        # kperf would keep the total, and ignore the duration that was asked for.
        ("total: 36000", ProfileOverrides(duration=5), "duration: 5"),
        ("total: 5, duration: 60", ProfileOverrides(duration=5), "duration: 5"),
        ("maxRetries: 0", ProfileOverrides(total=100), "total: 100"),
        ("maxRetries: 0", NO_OVERRIDES, "total: 1000"),
    ],
)
def test_an_override_alone_says_how_long_the_load_is(
    key: str, limit: str, overrides: ProfileOverrides, as_if: str
) -> None:
    assert parsed(profile(limit, key), overrides) == parsed(profile(as_if, key))


@pytest.mark.parametrize("rate", [0.0, 0.5, 200.0])
def test_a_rate_replaces_that_of_the_profile_and_nothing_else(rate: float) -> None:
    text = profile("duration: 60")
    expected = text.replace("rate: 10", f"rate: {rate}")
    assert parsed(text, ProfileOverrides(rate=rate)) == parsed(expected)


def test_a_profile_that_has_its_spec_under_both_keys_is_overridden_too() -> None:
    both = render_profile(parsed(profile("total: 36000")))
    assert parsed(both, ProfileOverrides(total=7)) == parsed(profile("total: 7"))


def test_a_warning_is_about_the_load_as_it_is_run() -> None:
    text = profile("total: 5, duration: 60")
    (before,) = parse_documents(text)
    (after,) = parse_documents(text, ProfileOverrides(total=9))
    assert before.warnings == ("specs[0]: both total and duration are set; duration is ignored",)
    assert after.warnings == ()


def read(path: Path, text: str, overrides: ProfileOverrides) -> tuple[LoadedRunner, ...]:
    path.write_text(text)
    uris = [f"file://{path}?numbers=2"]
    runners = read_runners(uris, SourceContext(), None, overrides=overrides)
    specs = parse_runners(uris)
    assert tuple(load_runners(specs, SourceContext(), None, overrides=overrides)) == runners
    return runners


def test_the_pods_get_the_overridden_profile_under_a_digest_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "load.yaml"
    (plain,) = read(path, profile("total: 36000"), NO_OVERRIDES)
    (changed,) = read(path, profile("total: 36000"), ProfileOverrides(total=100))
    (written,) = read(path, profile("total: 100"), NO_OVERRIDES)
    assert changed == written
    assert changed.digest != plain.digest


def test_a_runner_group_and_each_document_of_a_file_are_overridden(tmp_path: Path) -> None:
    group = f"count: 3\nloadProfile: {{version: 1, specs: [{{total: 5, {REQUESTS}}}]}}\n"
    texts = (group, profile("duration: 60"))
    runners = read(tmp_path / "load.yaml", "---\n".join(texts), ProfileOverrides(total=7))
    assert [spec.total for runner in runners for spec in runner.profile.specs] == [7, 7]


def test_several_specs_are_refused_with_the_runner_as_kperf_refuses_them(tmp_path: Path) -> None:
    path = tmp_path / "load.yaml"
    with pytest.raises(InvalidInputError) as caught:
        read(path, several(3), ProfileOverrides(total=100, rate=5))
    assert caught.value.problems == (
        f"runner 1 of 1 (file://{path}?numbers=2): the load profile has 3 specs, so the run cannot "
        "override them with total 100, rate 5: kperf allows it for a single spec; change the "
        "profile instead",
    )
    assert len(read(path, several(3), NO_OVERRIDES)[0].profile.specs) == 3


def test_a_profile_that_is_invalid_in_itself_stays_refused(tmp_path: Path) -> None:
    path = tmp_path / "load.yaml"
    with pytest.raises(InvalidInputError) as caught:
        read(path, profile("total: x"), ProfileOverrides(total=100))
    assert caught.value.problems == (
        f"runner 1 of 1 (file://{path}?numbers=2): spec.total: must be a whole number, got 'x'",
    )


def test_the_overridden_profile_is_what_a_release_must_be_able_to_run(tmp_path: Path) -> None:
    path = tmp_path / "load.yaml"
    path.write_text(profile("total: 100"))
    uris, old = [f"file://{path}?numbers=2"], KperfRelease(0, 3, 2)
    assert read_runners(uris, SourceContext(), old)
    with pytest.raises(InvalidInputError) as caught:
        read_runners(uris, SourceContext(), old, overrides=ProfileOverrides(duration=5))
    assert caught.value.problems == (
        f"runner 1 of 1 ({uris[0]}): specs[0].duration: needs kperf 0.3.3 or later, but the image "
        "is kperf 0.3.2",
    )


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        (NO_OVERRIDES, "none"),
        (ProfileOverrides(total=100, rate=0.5), "total 100, rate 0.5"),
        (ProfileOverrides(duration=90, rate=0), "duration 90s, rate 0"),
    ],
)
def test_overrides_are_told_in_the_profiles_words(overrides: ProfileOverrides, text: str) -> None:
    assert str(overrides) == text
