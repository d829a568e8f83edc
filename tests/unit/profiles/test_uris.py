from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.errors import InvalidInputError
from mrunners.profiles.uris import (
    RunnerSpec,
    check_runner_uri,
    show_uri,
)

SCHEMES = ("configmap", "file")

RANGE = "numbers must be a whole number from 1 to 10000 in plain digits, got "
ABSOLUTE = "the path must be absolute: write three slashes, file:///abs/path"
NO_HOST = f"no host is allowed; {ABSOLUTE}"
MISSING = "numbers is missing: add ?numbers=N, the number of pods"
FRAGMENT = "no fragment (#…) is allowed; in a path, write '#' as %23"


@pytest.mark.parametrize(
    ("uri", "scheme", "path", "pod_count"),
    [
        ("file:///etc/load.yaml?numbers=10", "file", "/etc/load.yaml", 10),
        ("FILE:///a?numbers=1", "file", "/a", 1),
        ("configmap:///ns/name?numbers=10000", "configmap", "/ns/name", 10_000),
        ("file:///a%20b/%C3%A9%23?numbers=2", "file", "/a b/é#", 2),
        ("file:///ü?numbers=2", "file", "/ü", 2),
        ("file:///a%2525?numbers=2", "file", "/a%25", 2),
        ("file:///a@b:c?numbers=2", "file", "/a@b:c", 2),
    ],
)
def test_a_valid_uri_is_parsed(uri: str, scheme: str, path: str, pod_count: int) -> None:
    expected = RunnerSpec(uri=uri, scheme=scheme, path=path, pod_count=pod_count)
    assert check_runner_uri(uri, SCHEMES).spec() == expected


@pytest.mark.parametrize(
    ("uri", "problems"),
    [
        ("", ["the URI is empty"]),
        ("file:///" + "a" * 5000, ["the URI is longer than 4096 characters"]),
        ("file:///a?numbers=", [RANGE + "''"]),
        ("file:///a?numbers", [RANGE + "''"]),
        ("file:///a?numbers=0", ["numbers must be at least 1"]),
        ("file:///a?numbers=-3", ["numbers must be at least 1"]),
        ("file:///a?numbers=1.5", [RANGE + "'1.5'"]),
        ("file:///a?numbers=1e3", [RANGE + "'1e3'"]),
        ("file:///a?numbers=+1", [RANGE + "'+1'"]),
        ("file:///a?numbers=1_0", [RANGE + "'1_0'"]),
        ("file:///a?numbers=010", [RANGE + "'010'"]),
        ("file:///a?numbers=%31", [RANGE + "'%31'"]),
        ("file:///a?numbers=٣", [RANGE + "'٣'"]),
        ("file:///a?numbers=10001", ["numbers must be at most 10000"]),
        ("file:///a?numbers=" + "9" * 999, ["numbers must be at most 10000"]),
        ("file:///a?numbers=1&numbers=1", ["numbers is given 2 times; give it once"]),
        ("file:///a?number=1", ["unknown query key 'number'; did you mean 'numbers'?"]),
        ("file:///a?numbers=1&x=2", ["unknown query key 'x'; known: numbers"]),
        (
            "file:///a?numbers=1&",
            ["the query has an empty part; write it as ?key=value&key=value"],
        ),
        ("file:///a?numbers=1#top", [FRAGMENT]),
        ("file:a?numbers=1", [ABSOLUTE]),
        ("file:/a?numbers=1", [ABSOLUTE]),
        ("file://?numbers=1", [ABSOLUTE]),
        ("file://a/b?numbers=1", [NO_HOST]),
        ("file://localhost/b?numbers=1", [NO_HOST]),
        ("file://:80/b?numbers=1", ["no port (:…) is allowed"]),
        ("file://me:secret@/b?numbers=1", ["no user info (…@) is allowed"]),
        (
            "ftp:///a?numbers=1",
            ["unknown scheme 'ftp'; known: configmap, file"],
        ),
        ("fil:///a?numbers=1", ["unknown scheme 'fil'; did you mean 'file'?"]),
        (
            "/etc/a?numbers=1",
            ["the URI has no scheme; it must start with configmap:///… or file:///…", ABSOLUTE],
        ),
        (
            "file:///a%2?numbers=1",
            [
                "the path has a '%' without two hexadecimal digits after it; "
                "write a literal '%' as %25"
            ],
        ),
        ("file:///%FF?numbers=1", ["the path's percent escapes are not valid UTF-8"]),
        (
            "file:///%00?numbers=1",
            ["the decoded path contains the character '\\x00', which is not allowed"],
        ),
        (
            "file:///%0A?numbers=1",
            ["the decoded path contains the character '\\n', which is not allowed"],
        ),
        (
            "file:///a\n?numbers=1",
            [
                "the character '\\n' is not allowed (character 10 of the URI); "
                "in a path, write it as %0A"
            ],
        ),
        (
            "file://me:secret@host:80/a?numbers=1",
            ["no user info (…@) is allowed", "no port (:…) is allowed", NO_HOST],
        ),
        (
            "ftp://me:secret@host:80/a?number=0&x=1#z",
            [
                "unknown scheme 'ftp'; known: configmap, file",
                "unknown query key 'number'; did you mean 'numbers'?",
                "unknown query key 'x'; known: numbers",
                FRAGMENT,
            ],
        ),
    ],
)
def test_each_error_of_a_uri_is_reported_in_one_line(uri: str, problems: list[str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_runner_uri(uri, SCHEMES).spec()
    assert list(caught.value.problems) == problems


def test_scheme_and_path_of_a_uri_with_an_invalid_query_are_known() -> None:
    check = check_runner_uri("file:///a?numbers=0", SCHEMES)
    assert (check.scheme, check.path, check.values) == ("file", "/a", {})


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("file:///a?numbers=0", "file:///a?numbers=0"),
        ("file:///a@b", "file:///a@b"),
        ("file://me:secret@host/a", "file://…@host/a"),
        ("file://me:se/cret@host/a", "file://…@host/a"),
        ("file:me:secret@host/a", "file:…@host/a"),
        ("me:secret@host/a", "me:…@host/a"),
        ("me:secret:x@host/a@b", "me:…@b"),
        ("//me:secret@host", "//…@host"),
        ("file:///a\n\x1b[31m\u202eb", "file:///a\\n\\x1b[31m\\u202eb"),
    ],
)
def test_show_uri_hides_user_info_and_escapes_unprintable_characters(uri: str, shown: str) -> None:
    assert show_uri(uri) == shown


@given(
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=40),
    st.integers(min_value=1, max_value=10_000),
)
def test_every_quoted_path_is_decoded(name: str, pod_count: int) -> None:
    uri = f"file:///{quote(name)}?numbers={pod_count}"
    expected = RunnerSpec(uri=uri, scheme="file", path=f"/{name}", pod_count=pod_count)
    assert check_runner_uri(uri, SCHEMES).spec() == expected


@given(
    st.one_of(
        st.text(),
        st.text("file:/?numbers=&#%@10 \n\\").map(lambda tail: f"file://{tail}"),
        st.text("numbers=&#%@10+-._").map(lambda tail: f"file:///a?{tail}"),
    )
)
def test_any_text_is_a_spec_or_printable_problems(text: str) -> None:
    check = check_runner_uri(text, SCHEMES)
    if check.problems:
        assert all(problem.isprintable() for problem in check.problems)
    else:
        spec = check.spec()
        assert spec.path.startswith("/")
        if spec.pod_count is not None:
            assert text.endswith(f"?numbers={spec.pod_count}")
    assert show_uri(text).isprintable()


@given(st.text("abc:/?#@%", max_size=20), st.sampled_from(["file://", "file:", "//", "", "x:"]))
def test_a_password_is_never_shown(tail: str, start: str) -> None:
    # Nothing before the last '@' may show, unless the URI begins with scheme:///.
    uri = f"{start}me:SECRET@{tail}"
    problems = check_runner_uri(uri, SCHEMES).problems
    assert "SECRET" not in show_uri(uri) + "".join(problems)
