import pytest

from mrunners.profiles.images import (
    KperfRelease,
    image_problem,
    moving_tag_warning,
    newer_release_warning,
    release_of_image,
    release_problem,
)
from mrunners.profiles.profile import LoadProfile
from mrunners.profiles.release_rules import release_problems

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("image", "release"),
    [
        ("ghcr.io/azure/kperf:0.3.5", KperfRelease(0, 3, 5)),
        ("ghcr.io/azure/kperf:v0.3.5", KperfRelease(0, 3, 5)),
        ("localhost:5000/kperf:1.10.2", KperfRelease(1, 10, 2)),
        (f"host:5000/a/kperf:0.3.4@{DIGEST}", KperfRelease(0, 3, 4)),
        ("kperf:0.0.9", KperfRelease(0, 0, 9)),
        ("ghcr.io/azure/kperf:latest", None),
        ("ghcr.io/azure/kperf:0.3", None),
        ("ghcr.io/azure/kperf:0.3.5-rc.1", None),
        ("ghcr.io/azure/kperf:0.03.5", None),
        ("ghcr.io/azure/kperf", None),
        ("localhost:5000/kperf", None),
        (f"ghcr.io/azure/kperf@{DIGEST}", None),
        ("ghcr.io/azure/mykperf:0.3.5", None),
        ("ghcr.io/azure/kperf/tool:0.3.5", None),
        ("Kperf:0.3.5", None),
        ("", None),
    ],
)
def test_the_release_comes_from_the_tag(image: str, release: KperfRelease | None) -> None:
    assert release_of_image(image) == release


def test_releases_are_ordered_as_numbers_and_shown_without_a_v() -> None:
    assert KperfRelease(0, 10, 0) > KperfRelease(0, 9, 9)
    assert str(KperfRelease(0, 3, 5)) == "0.3.5"


@pytest.mark.parametrize(
    "image",
    [
        "kperf",
        "a/b/c:1",
        "REGISTRY.io/a",
        "host:5000/a__b.c-d--e:T_1.2-3",
        f"a@{DIGEST}",
        "[::1]:5000/a:1",
        "localhost/a",
        "ghcr.io/azure/kperf:0.3.5",
    ],
)
def test_a_valid_image_name_has_no_problem(image: str) -> None:
    assert image_problem(image) is None


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        ("", "the image name is empty"),
        ("a" * 1025, "the image name is longer than 1024 characters"),
        ("a b", "the image name contains a blank or control character: 'a b'"),
        ("a\n", "the image name contains a blank or control character: 'a\\n'"),
        (
            "ghcr.io/Azure/kperf",
            "the image's repository must be lowercase, got 'ghcr.io/Azure/kperf'",
        ),
        ("Kperf:1", "the image's repository must be lowercase, got 'Kperf:1'"),
        ("a:", "the image's tag must consist of letters, digits, '_', '.' and '-', got 'a:'"),
        ("a:1:2", "the image's tag must consist of letters, digits, '_', '.' and '-', got 'a:1:2'"),
        ("a@sha256:1", "the image's digest must look like sha256:…, got 'a@sha256:1'"),
        (
            "ho_st.io/a",
            "the image's registry must be a host name, without https://, got 'ho_st.io/a'",
        ),
        ("a//b", "the image name must look like registry/repository:tag, got 'a//b'"),
        ("/a", "the image name must look like registry/repository:tag, got '/a'"),
        (
            "https://a/b",
            "the image's registry must be a host name, without https://, got 'https://a/b'",
        ),
        ("a/" * 200 + "a", "the image's repository is longer than 255 characters"),
    ],
)
def test_an_invalid_image_name_is_explained(image: str, problem: str) -> None:
    assert image_problem(image) == problem


@pytest.mark.parametrize(
    ("release", "problem"),
    [
        (None, None),
        (KperfRelease(0, 1, 7), None),
        (
            KperfRelease(0, 1, 6),
            "mrunners cannot merge the reports of kperf 0.1.6; use 0.1.7 or later",
        ),
    ],
)
def test_a_release_whose_reports_cannot_be_merged_is_refused(
    release: KperfRelease | None, problem: str | None
) -> None:
    assert release_problem(release) == problem


GVR = {"version": "v1", "resource": "pods", "namespace": "a"}
CONFIG_MAP = {**GVR, "resource": "configmaps", "name": "x", "keySpaceSize": 1}
EVERYTHING = LoadProfile.model_validate(
    {
        "version": 1,
        "specs": [
            {
                "rate": 0.5,
                "duration": 5,
                "client": 2,
                "contentType": "protobuf",
                "disableHTTP2": True,
                "maxRetries": 1,
                "requests": [
                    {"shares": 1, "staleList": {**GVR, "fieldSelector": "a=b"}},
                    {"quorumGet": {**GVR, "name": "x"}},
                    {"watchList": {**GVR, "fieldSelector": "a=b"}},
                    {"getPodLog": {"namespace": "a", "name": "x"}},
                    {"patch": {**CONFIG_MAP, "patchType": "merge", "body": "{}"}},
                    {"postDel": {**GVR, "payloadSize": 1}},
                    {"put": {**CONFIG_MAP, "payloadSize": 1}},
                ],
            },
            {"requests": [{"shares": 1, "quorumGet": {**GVR, "name": "x"}}]},
        ],
    }
)
REQUESTS = "specs[0].requests"


@pytest.mark.parametrize(
    ("release", "missing"),
    [
        (None, []),
        (KperfRelease(0, 3, 6), []),
        (
            KperfRelease(0, 3, 5),
            [
                f"{REQUESTS}[5].postDel.payloadSize: needs a kperf release later than 0.3.5",
                f"{REQUESTS}[6].put: needs a kperf release later than 0.3.5",
            ],
        ),
        (
            KperfRelease(0, 0, 1),
            [
                "specs with several entries: needs kperf 0.3.5 or later",
                "specs[0].rate: needs kperf 0.0.2 or later",
                "specs[0].duration: needs kperf 0.3.3 or later",
                "specs[0].client: needs kperf 0.0.2 or later",
                "specs[0].contentType: needs kperf 0.0.2 or later",
                "specs[0].disableHTTP2: needs kperf 0.0.2 or later",
                "specs[0].maxRetries: needs kperf 0.0.2 or later",
                f"{REQUESTS}[0].staleList.fieldSelector: needs kperf 0.0.9 or later",
                f"{REQUESTS}[2].watchList: needs kperf 0.3.0 or later",
                f"{REQUESTS}[3].getPodLog: needs kperf 0.0.6 or later",
                f"{REQUESTS}[4].patch: needs kperf 0.3.5 or later",
                f"{REQUESTS}[5].postDel: needs kperf 0.3.5 or later",
                f"{REQUESTS}[5].postDel.payloadSize: needs a kperf release later than 0.3.5",
                f"{REQUESTS}[6].put: needs a kperf release later than 0.3.5",
            ],
        ),
    ],
)
def test_fields_that_a_release_would_ignore_are_refused(
    release: KperfRelease | None, missing: list[str]
) -> None:
    assert release_problems(EVERYTHING, release) == [
        f"{line}, but the image is kperf {release}" for line in missing
    ]


def test_many_requests_that_need_the_same_release_are_one_line() -> None:
    put = {"put": {**CONFIG_MAP, "payloadSize": 1}}
    pods = {"postDel": {**GVR, "payloadSize": 1}}
    first = {"shares": 1, **put}
    specs = [{"requests": [first, pods, *[put] * 1_499]}, {"requests": [first, put]}]
    profile = LoadProfile.model_validate({"version": 1, "specs": specs})
    needed = "needs a kperf release later than 0.3.5, but the image is kperf 0.3.5"
    assert release_problems(profile, KperfRelease(0, 3, 5)) == [
        f"{REQUESTS}[0].put and 1501 more: {needed}",
        f"{REQUESTS}[1].postDel.payloadSize: {needed}",
    ]


@pytest.mark.parametrize("known", [None, KperfRelease(0, 1, 7), KperfRelease(0, 3, 5)])
def test_a_known_or_unknown_release_needs_no_warning(known: KperfRelease | None) -> None:
    assert newer_release_warning(known) is None


def test_a_release_that_is_newer_than_all_known_is_warned_of() -> None:
    assert newer_release_warning(KperfRelease(0, 3, 6)) == (
        "the image is kperf 0.3.6, which is newer than this release of mrunners knows; its "
        "profiles and reports are taken for those of kperf 0.3.5"
    )


@pytest.mark.parametrize("image", ["kperf", "registry:5000/kperf", "kperf:latest"])
def test_an_image_whose_name_may_mean_another_tomorrow_is_warned_of(image: str) -> None:
    warning = moving_tag_warning(image)
    assert warning is not None
    assert warning.startswith("the image has ")
    assert warning.endswith("name a version or a digest")


@pytest.mark.parametrize("image", ["kperf:0.3.5", f"kperf@sha256:{'0' * 64}", "kperf:late"])
def test_an_image_with_a_version_or_digest_is_not_warned_of(image: str) -> None:
    assert moving_tag_warning(image) is None
