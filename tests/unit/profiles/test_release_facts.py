"""Each fact about kperf's releases, on both sides of each release that changed it."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mrunners.profiles.images import LATEST_KNOWN_RELEASE, KperfRelease, release_of_image
from mrunners.profiles.profile import LoadProfile
from mrunners.profiles.release_rules import RELEASE_FACTS, release_problems

PROFILES_MD = Path(__file__).parents[3] / "docs" / "profiles.md"

# The tags of Azure/kperf, v0.0.1 to v0.3.5.
PATCHES = {(0, 0): range(1, 10), (0, 1): range(10), (0, 2): range(1), (0, 3): range(6)}
RELEASES = [KperfRelease(*minor, patch) for minor in PATCHES for patch in PATCHES[minor]]
NEXT = KperfRelease(0, 3, 6)
LIST = {"version": "v1", "resource": "pods", "namespace": "a"}
GET = {**LIST, "name": "x"}
CUSTOM = {"group": "cilium.io", "version": "v2", "resource": "ciliumendpoints"}
OBJECTS = {**GET, "resource": "configmaps", "keySpaceSize": 1}
PLAIN = {"staleList": {"version": "v1", "resource": "pods"}}


class Case(NamedTuple):
    """A profile that has one part; where messages place it; and what it needs.

    The part works in the releases from `first` to `last`, and outside of `lost` (both inclusive).
    """

    profile: LoadProfile
    place: str
    needed: str
    first: str
    lost: tuple[str, str] | None = None


def spec(**fields: Any) -> dict[str, Any]:
    return {"requests": [{"shares": 1, **PLAIN}], **fields}


def profile(*specs: dict[str, Any]) -> LoadProfile:
    return LoadProfile.model_validate({"version": 1, "specs": specs})


def request(kind: str, fields: dict[str, Any]) -> LoadProfile:
    return profile({"requests": [{"shares": 1, kind: fields}]})


MAIN = f"a kperf release later than {LATEST_KNOWN_RELEASE}"
LATER = str(NEXT)
IN_REQUEST = "specs[0].requests[0]."
CASES: dict[str, list[Case]] = {
    "specs with several entries": [
        Case(profile(spec(), spec()), "", "kperf 0.3.5 or later", "0.3.5"),
    ],
    "rate": [Case(profile(spec(rate=0.5)), "specs[0].", "kperf 0.0.2 or later", "0.0.2")],
    "duration": [Case(profile(spec(duration=5)), "specs[0].", "kperf 0.3.3 or later", "0.3.3")],
    "client": [Case(profile(spec(client=2)), "specs[0].", "kperf 0.0.2 or later", "0.0.2")],
    "contentType": [
        Case(profile(spec(contentType="protobuf")), "specs[0].", "kperf 0.0.2 or later", "0.0.2"),
    ],
    "disableHTTP2": [
        Case(profile(spec(disableHTTP2=True)), "specs[0].", "kperf 0.0.2 or later", "0.0.2"),
    ],
    "maxRetries": [
        Case(profile(spec(maxRetries=1)), "specs[0].", "kperf 0.0.2 or later", "0.0.2"),
    ],
    "getPodLog": [
        Case(
            request("getPodLog", {"namespace": "a", "name": "x"}),
            IN_REQUEST,
            "kperf 0.0.6 or later",
            "0.0.6",
        ),
    ],
    "watchList": [Case(request("watchList", LIST), IN_REQUEST, "kperf 0.3.0 or later", "0.3.0")],
    "patch": [
        Case(
            request("patch", {**OBJECTS, "patchType": "merge", "body": "{}"}),
            IN_REQUEST,
            "kperf 0.3.5 or later",
            "0.3.5",
        ),
    ],
    "postDel": [Case(request("postDel", LIST), IN_REQUEST, "kperf 0.3.5 or later", "0.3.5")],
    "put": [Case(request("put", {**OBJECTS, "payloadSize": 1}), IN_REQUEST, MAIN, LATER)],
    "group": [
        Case(request(kind, fields), f"{IN_REQUEST}{kind}.", "kperf 0.2.0 or later", "0.2.0")
        for kind, fields in (
            ("staleList", CUSTOM),
            ("quorumList", CUSTOM),
            ("staleGet", {**CUSTOM, "name": "x"}),
            ("quorumGet", {**CUSTOM, "name": "x"}),
        )
    ],
    "group of custom resources": [
        Case(
            request("watchList", CUSTOM),
            f"{IN_REQUEST}watchList.",
            "kperf 0.3.2 or later",
            "0.3.2",
        ),
    ],
    "fieldSelector": [
        Case(
            request(kind, {**LIST, "fieldSelector": "a=b"}),
            f"{IN_REQUEST}{kind}.",
            "kperf 0.0.9 or later",
            "0.0.9",
        )
        for kind in ("staleList", "quorumList")
    ],
    "payloadSize": [
        Case(request("postDel", {**LIST, "payloadSize": 1}), f"{IN_REQUEST}postDel.", MAIN, LATER),
    ],
    "namespace": [
        Case(
            request(kind, GET),
            f"{IN_REQUEST}{kind}.",
            "kperf 0.3.5 or later",
            "0.0.1",
            lost=("0.2.0", "0.3.4"),
        )
        for kind in ("staleGet", "quorumGet")
    ],
}
WALKED = [
    pytest.param(part, case, id=f"{case.place}{part}") for part in CASES for case in CASES[part]
]


def release(text: str) -> KperfRelease:
    found = release_of_image(f"kperf:{text}")
    assert found is not None
    return found


def test_every_fact_is_walked() -> None:
    assert list(CASES) == [fact.part for fact in RELEASE_FACTS]


@pytest.mark.parametrize(("part", "case"), WALKED)
def test_a_part_is_refused_by_the_releases_that_do_not_run_it_and_by_no_other(
    part: str, case: Case
) -> None:
    line = f"{case.place}{part}: needs {case.needed}"
    refused = [
        one
        for one in (*RELEASES, NEXT)
        if f"{line}, but the image is kperf {one}" in release_problems(case.profile, one)
    ]
    lost = [release(text) for text in case.lost or ()]
    assert refused == [
        one
        for one in (*RELEASES, NEXT)
        if one < release(case.first) or (lost and lost[0] <= one <= lost[1])
    ]


def test_the_newest_tag_is_the_newest_known_release() -> None:
    assert max(RELEASES) == LATEST_KNOWN_RELEASE


def test_a_later_release_runs_all_that_is_known() -> None:
    cases = [case for some in CASES.values() for case in some]
    assert [release_problems(case.profile, NEXT) for case in cases] == [[]] * len(cases)


def test_the_docs_have_each_fact_in_a_row() -> None:
    section = PROFILES_MD.read_text().partition("### What each release runs\n")[2]
    table = section.partition("\n### ")[0]
    rows = re.findall(r"^\| (.*) \| (.*) \| (.*) \| (.*) \|$", table, re.MULTILINE)
    assert rows[1:] == [
        (
            fact.part,
            (str(fact.since) if fact.since else f"later than {LATEST_KNOWN_RELEASE}")
            + (f", and before {fact.lost_in}" if fact.lost_in else ""),
            fact.otherwise,
            f"`{fact.source}`",
        )
        for fact in RELEASE_FACTS
    ]
