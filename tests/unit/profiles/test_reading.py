from pathlib import Path

import pytest

from mrunners.errors import InvalidInputError
from mrunners.profiles import loading
from mrunners.profiles.loading import load_runners, parse_runners, read_runners
from mrunners.profiles.overrides import ProfileOverrides
from mrunners.profiles.reading import ProfileCache, ReadProfile, read_profiles
from mrunners.profiles.rendering import MAX_RENDERED_BYTES, profile_digest, render_profile
from mrunners.profiles.sources import SourceContext
from tests.unit.env import profile
from tests.unit.profiles.one_document import parse_profile

FIRST, SECOND, BROKEN = (text.encode() for text in (profile("a"), profile("b"), "version: 2"))


class Reader:
    """Reads for real, and knows what it read."""

    def __init__(self) -> None:
        self.texts: list[bytes] = []

    def __call__(self, text: bytes, overrides: ProfileOverrides) -> tuple[ReadProfile, ...]:
        self.texts.append(text)
        return read_profiles(text, overrides)


def problems_of(reader: ProfileCache, text: bytes) -> tuple[str, ...]:
    with pytest.raises(InvalidInputError) as caught:
        reader(text)
    return caught.value.problems


def test_a_profile_is_read_with_its_rendered_form_and_digest() -> None:
    parsed = parse_profile(FIRST)
    rendered = render_profile(parsed.profile)
    assert read_profiles(FIRST) == (
        ReadProfile(parsed.profile, parsed.warnings, rendered, profile_digest(rendered)),
    )


def test_a_text_is_read_once_whether_it_is_valid_or_not() -> None:
    reader = Reader()
    cache = ProfileCache(reader)
    assert cache(FIRST) is cache(FIRST)
    assert problems_of(cache, BROKEN) == problems_of(cache, BROKEN)
    assert cache(SECOND) is not cache(FIRST)
    assert reader.texts == [FIRST, BROKEN, SECOND]


def test_the_least_recently_read_text_is_forgotten_first() -> None:
    reader = Reader()
    cache = ProfileCache(reader, max_bytes=len(FIRST + SECOND))
    for text in (FIRST, SECOND, FIRST, BROKEN, FIRST, SECOND):
        if text is BROKEN:
            problems_of(cache, text)
        else:
            cache(text)
    assert reader.texts == [FIRST, SECOND, BROKEN, SECOND]


def test_a_text_that_is_larger_than_the_cache_is_read_all_the_same() -> None:
    reader = Reader()
    cache = ProfileCache(reader, max_bytes=1)
    assert [cache(text)[0].profile.description for text in (FIRST, SECOND)] == ["a", "b"]
    cache(FIRST)
    assert reader.texts == [FIRST, SECOND, FIRST]


def test_a_run_reads_each_text_once_in_all_its_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Preflight reads URIs, and the flow reads the parsed ones again."""
    reader = Reader()
    monkeypatch.setattr(loading, "read_profiles", ProfileCache(reader))
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(FIRST)
    uris = [f"file://{tmp_path}/{name}?numbers={n}" for name in "ab" for n in range(1, 6)]
    runners = read_runners(uris, SourceContext(), None)
    assert tuple(load_runners(parse_runners(uris), SourceContext(), None)) == runners
    assert reader.texts == [FIRST]
    (tmp_path / "a").write_bytes(SECOND)
    assert {runner.profile.description for runner in read_runners(uris, SourceContext(), None)} == {
        "a",
        "b",
    }


def test_what_does_not_fit_as_rendered_is_refused_in_those_terms(tmp_path: Path) -> None:
    path = tmp_path / "load.yaml"
    # Each of these characters is written as six.
    path.write_text(profile("€" * 170_000))
    uri = f"file://{path}?numbers=1"
    with pytest.raises(InvalidInputError) as caught:
        read_runners([uri], SourceContext(), None)
    size = len(render_profile(parse_profile(path.read_bytes()).profile))
    assert size > MAX_RENDERED_BYTES > path.stat().st_size
    assert caught.value.problems == (
        f"runner 1 of 1 ({uri}): the load profile takes {size:,} bytes as rendered for kperf, but "
        "a ConfigMap holds at most 921,600; split it into several profiles, with a runner each",
    )
