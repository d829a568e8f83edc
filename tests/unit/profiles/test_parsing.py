import pytest

from mrunners.errors import InvalidInputError
from mrunners.profiles.parsing import ParsedDocument
from mrunners.profiles.profile import (
    ContentType,
    LoadProfile,
    LoadProfileSpec,
    WeightedRequest,
)
from mrunners.profiles.requests import (
    RequestGet,
    RequestKind,
    RequestStaleList,
    json_problem,
)
from tests.unit.profiles.one_document import parse_profile

GET = "{version: v1, resource: pods, namespace: a, name: b}"
WATCH = "{version: v1, resource: pods}"
HEAD = "version: 1\nspec:\n  requests:\n"


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidInputError) as caught:
        parse_profile(text)
    return list(caught.value.problems)


def test_all_defaults_are_filled_in() -> None:
    text = HEAD + f"  - shares: 1\n    staleGet: {GET}\n"
    get = RequestGet(group="", version="v1", resource="pods", namespace="a", name="b")
    expected = LoadProfile(
        version=1,
        description="",
        specs=(
            LoadProfileSpec(
                rate=0.0,
                total=1000,
                duration=0,
                conns=1,
                client=1,
                content_type=ContentType.JSON,
                disable_http2=False,
                max_retries=0,
                requests=(WeightedRequest(shares=1, stale_get=get),),
            ),
        ),
    )
    assert parse_profile(text) == ParsedDocument(expected, ())
    assert expected.specs[0].requests[0].kind is RequestKind.STALE_GET
    assert expected.specs[0].requests[0].request == get


def test_total_wins_over_duration_with_a_warning() -> None:
    requests = f"requests: [{{shares: 1, staleGet: {GET}}}]"
    text = f"version: 1\nspecs: [{{total: 5, duration: 9, {requests}}}]"
    parsed = parse_profile(text)
    assert (parsed.profile.specs[0].total, parsed.profile.specs[0].duration) == (5, 0)
    assert parsed.warnings == ("specs[0]: both total and duration are set; duration is ignored",)


def test_duration_alone_leaves_total_at_zero() -> None:
    text = f"version: 1\nspec: {{duration: 9, requests: [{{shares: 1, staleGet: {GET}}}]}}"
    spec = parse_profile(text).profile.specs[0]
    assert (spec.total, spec.duration) == (0, 9)


def test_settings_that_kperf_takes_from_the_first_spec_only_give_a_warning() -> None:
    requests = f"requests: [{{shares: 1, staleGet: {GET}}}]"
    text = (
        f"version: 1\nspecs:\n- {{rate: 5, total: 5, {requests}}}\n"
        f"- {{rate: 50, total: 50, conns: 2, contentType: protobuf, {requests}}}\n"
    )
    assert parse_profile(text).warnings == (
        "specs[1]: conns, contentType: kperf uses the first spec's values for all specs",
        "specs[1]: kperf limits each connection to the first spec's rate (5/s, 1 connection) and "
        "counts that wait as latency, so these latencies will not be the server's; set "
        "specs[0].conns and their client to at least 10 (the fastest of them sends 50/s)",
    )


def test_spec_and_specs_may_both_be_given_when_they_are_equal() -> None:
    spec = f"{{conns: 1, requests: [{{shares: 1, staleGet: {GET}}}]}}"
    same = f"{{requests: [{{shares: 1, staleGet: {GET}}}]}}"
    text = f"version: 1\nspec: {spec}\nspecs: [{same}]"
    assert len(parse_profile(text).profile.specs) == 1
    message = "differs from 'specs'; give one of them, or the same single spec in both"
    assert problems(f"version: 1\nspec: {spec}\nspecs: [{same}, {same}]") == [f"spec: {message}"]
    assert problems(f"version: 1\nspec: 7\nspecs: [{same}]") == [f"spec: {message}"]


@pytest.mark.parametrize("spelled", ["seletor: a=b", "selector: a=b, seletor: a=b"])
def test_the_old_spelling_of_a_selector_is_read_alone_or_beside_the_new_one(spelled: str) -> None:
    text = HEAD + f"  - {{shares: 1, staleList: {{version: v1, resource: pods, {spelled}}}}}"
    request = parse_profile(text).profile.specs[0]
    expected = RequestStaleList(version="v1", resource="pods", selector="a=b")
    assert request.requests[0].request == expected


def test_two_spellings_of_a_selector_must_say_the_same() -> None:
    for lone in ("selector: a, seletor: b",):
        text = HEAD + f"  - {{shares: 1, staleList: {{version: v1, resource: pods, {lone}}}}}"
        assert problems(text) == [
            "spec.requests[0].staleList.seletor: unknown key; did you mean 'selector'?"
        ]


def test_all_errors_of_a_profile_are_reported_in_the_order_of_the_text() -> None:
    text = """\
version: 2
descripton: hi
specs:
- rat: 3
  conns: "10"
  total: 10.0
  client: true
  contentType: xml
  disableHTTP2: yes
  maxRetries: 99999999999
  requests:
  - shares: 0
    staleGet: {version: v1, resource: pods, name: a}
    quorumGet: {version: v1, resource: pods}
  - staleList: {version: v1, resource: pods, limit: 5}
  - shares: -1
  - patch: {version: v1, resource: pods, name: x, keySpaceSize: 0, patchType: x, body: "{"}
  - 7
  - put: {version: v2, resource: configmaps, namespace: a, name: "a b", keySpaceSize: 1}
  - postDel: {version: v1, resource: jobs, namespace: "", deleteRatio: 0.6}
  - getPodLog: {namespace: a, tailLines: -1, limitBytes: 0}
- rate: -1
  conns: 0
  requests: []
- requests:
"""
    assert problems(text) == [
        "version: must be 1, got 2",
        "descripton: unknown key; did you mean 'description'?",
        "specs[0].rat: unknown key; did you mean 'rate'?",
        "specs[0].conns: must be a whole number, got '10'",
        "specs[0].total: must be a whole number, got 10.0",
        "specs[0].client: must be a whole number, got true",
        "specs[0].contentType: must be 'json' or 'protobuf', got 'xml'",
        "specs[0].disableHTTP2: must be true or false, got 'yes'",
        "specs[0].maxRetries: must be at most 2147483647, got 99999999999",
        "specs[0].requests[0]: two request kinds (staleGet, quorumGet); give exactly one",
        "specs[0].requests[0].quorumGet.name: is required",
        "specs[0].requests[1].staleList.limit: must be 0 for staleList: "
        "the API server's cache ignores pages",
        "specs[0].requests[2]: no request kind; give exactly one of staleList, quorumList, "
        "watchList, staleGet, quorumGet, put, patch, getPodLog, postDel",
        "specs[0].requests[2].shares: must be at least 0, got -1",
        "specs[0].requests[3].patch.keySpaceSize: must be at least 1, got 0",
        "specs[0].requests[3].patch.patchType: "
        "must be 'json', 'merge' or 'strategic-merge', got 'x'",
        "specs[0].requests[3].patch.body: is not valid JSON: line 1, column 2: "
        "Expecting property name enclosed in double quotes",
        "specs[0].requests[4]: must be a mapping, got 7",
        "specs[0].requests[5].put.version: must be 'v1', got 'v2'",
        "specs[0].requests[5].put.name: must not contain blanks or control characters",
        "specs[0].requests[5].put.payloadSize: is required",
        "specs[0].requests[6].postDel.resource: must be 'pods', got 'jobs'",
        "specs[0].requests[6].postDel.namespace: must not be empty",
        "specs[0].requests[6].postDel.deleteRatio: must be at most 0.5, got 0.6",
        "specs[0].requests[7].getPodLog.tailLines: must be at least 0, got -1",
        "specs[0].requests[7].getPodLog.limitBytes: must be at least 1, got 0",
        "specs[0].requests[7].getPodLog.name: is required",
        "specs[1].rate: must be at least 0, got -1",
        "specs[1].conns: must be at least 1, got 0",
        "specs[1].requests: must have at least one entry",
        "specs[2].requests: must be a list, got nothing",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["the load profile must be a mapping with 'version' and 'specs'"]),
        ("[1]", ["the load profile must be a mapping with 'version' and 'specs'"]),
        ("version: 1", ["specs: is required"]),
        ("version: 1\nspecs: []", ["specs: must have at least one entry"]),
        ("version: 1\nspec:", ["spec: must be a mapping, got nothing"]),
        (
            HEAD + f"  - staleGet: {GET}",
            ["spec: at least one request needs 'shares' greater than 0"],
        ),
        (
            HEAD + f"  - shares: 1\n    staleGet: {GET}\n    stale_list: {GET}",
            ["spec.requests[0].stale_list: unknown key; did you mean 'staleList'?"],
        ),
        (
            'version: 1\n"a\\nb": 1\nspec:\n  requests:\n  - {shares: 1, staleGet: ' + GET + "}",
            ["['a\\nb']: unknown key; known: description, spec, specs, version"],
        ),
        (
            "root:*:20228:0:99999:7::\ns3cret: {version: 1}",
            [
                "this is not a load profile: it has none of its keys (description, spec, specs, "
                "version)"
            ],
        ),
        (
            # As of another tool's file that has a version too.
            "version: hunter2hunter2\ntoken: hunter2\nhunter2hunter2hunter2hunter2: 1",
            [
                "the load profile: 2 unknown keys; known: description, spec, specs, version",
                "version: must be 1, got text",
                "specs: is required",
            ],
        ),
        (
            "version: 1\nspec: hunter2secretpassword",
            ["spec: must be a mapping, got text"],
        ),
        (
            # A piece of a manifest.
            "spec: {hunter2: x, hunter3: y, requests: [hunter2, {hunter2: 1}], rate: hunter2}",
            [
                "spec: 2 unknown keys; known: client, conns, contentType, disableHTTP2, duration, "
                "maxRetries, rate, requests, total",
                "spec: at least one request needs 'shares' greater than 0",
                "spec.requests[0]: must be a mapping, got text",
                "spec.requests[1]: 1 unknown key; known: getPodLog, patch, postDel, put, "
                "quorumGet, quorumList, shares, staleGet, staleList, watchList",
                "spec.requests[1]: no request kind; give exactly one of staleList, quorumList, "
                "watchList, staleGet, quorumGet, put, patch, getPodLog, postDel",
                "spec.rate: must be a number, got text",
                "version: is required",
            ],
        ),
        (
            "version: 1\nspec: {rates: 1}",
            [
                "spec: 1 unknown key; did you mean 'rate'?",
                "spec.requests: is required",
            ],
        ),
        (
            "version: 1\nkind: hunter2\nspec: {rate: hunter2, requests: [{shares: 1}]}",
            [
                "the load profile: 1 unknown key; known: description, spec, specs, version",
                "spec.rate: must be a number, got text",
                "spec.requests[0]: no request kind; give exactly one of staleList, quorumList, "
                "watchList, staleGet, quorumGet, put, patch, getPodLog, postDel",
            ],
        ),
        *(
            (
                f"apiVersion: v1\nkind: {kind}\n{rest}",
                [
                    "this is a Kubernetes manifest, not a load profile; name a ConfigMap as "
                    "configmap:///NAMESPACE/NAME"
                ],
            )
            for kind, rest in (
                ("Pod", "spec: hunter2secretpassword"),
                ("Secret", "stringData: {hunter2: hunter2}"),
                ("Config", "users: [{user: {token: hunter2}}]"),
                ("ConfigMap", "data: {load_profile.yaml: 'version: 1'}"),
            )
        ),
        (
            f"version: 1\nspec: {{rate: {'x' * 40}, requests: [{{shares: 1, staleGet: {GET}}}]}}",
            [f"spec.rate: must be a number, got '{'x' * 20}…'"],
        ),
        (
            HEAD + "  - 1\n" * 6000,
            [
                "the load profile takes at least 1,032,000 bytes as rendered for kperf, but a "
                "ConfigMap holds at most 921,600; split it into several profiles, with a runner "
                "each"
            ],
        ),
        (
            HEAD + "  - {shares: 1, patch: {version: v1, resource: pods, name: a, "
            "keySpaceSize: 1, patchType: json, body: '" + "[" * 5000 + "'}}",
            ["spec.requests[0].patch.body: is nested more than 100 levels deep"],
        ),
        (
            HEAD + "  - {shares: 1, patch: {version: v1, resource: pods, name: a, "
            "keySpaceSize: 1, patchType: json, body: '[NaN]'}}",
            ["spec.requests[0].patch.body: is not valid JSON: NaN is not a JSON value"],
        ),
        *(
            (
                HEAD + f"  - {{shares: 1, {kind}: {{group: core, version: v1, {rest}}}}}",
                [f"spec.requests[0].{kind}.group: must be left out for the core API"],
            )
            for kind, rest in (
                ("staleList", "resource: pods"),
                ("quorumList", "resource: pods"),
                ("watchList", "resource: pods"),
                ("staleGet", "resource: pods, namespace: a, name: b"),
                ("quorumGet", "resource: pods, namespace: a, name: b"),
                (
                    "patch",
                    "resource: pods, name: a, keySpaceSize: 1, patchType: json, body: '[]'",
                ),
            )
        ),
        (
            "version: 1\nspecs:\n"
            f"- {{contentType: protobuf, requests: [{{shares: 1, watchList: {WATCH}}}]}}\n"
            f"- {{contentType: json, requests: [{{shares: 1, watchList: {WATCH}}}]}}\n",
            [
                "specs[0].requests[0].watchList: needs contentType 'json'; with 'protobuf', kperf "
                "fails every watchList",
                "specs[1].requests[0].watchList: needs contentType 'json' in the first spec, which "
                "counts for all specs; with 'protobuf', kperf fails every watchList",
            ],
        ),
    ],
)
def test_a_profile_that_kperf_would_misread_is_refused(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


def test_a_watch_list_as_json_may_be_followed_by_a_spec_that_asks_for_protobuf() -> None:
    requests = f"requests: [{{shares: 1, watchList: {WATCH}}}]"
    text = f"version: 1\nspecs: [{{{requests}}}, {{contentType: protobuf, {requests}}}]"
    assert parse_profile(text).warnings == (
        "specs[1]: contentType: kperf uses the first spec's values for all specs",
    )


def test_put_may_name_the_core_group_because_kperf_knows_it_there() -> None:
    put = "{group: core, version: v1, resource: configmaps, namespace: a, name: b, "
    text = HEAD + f"  - {{shares: 1, put: {put}keySpaceSize: 1, payloadSize: 1}}}}"
    assert parse_profile(text).warnings == ()


def test_after_50_errors_the_rest_is_counted() -> None:
    lines = problems(
        HEAD + f"  - {{shares: 1, staleGet: {GET}}}\n" + "".join(f"x{n}: 1\n" for n in range(100))
    )
    assert (len(lines), lines[-1]) == (51, "and 50 more errors")


def test_a_text_of_half_a_million_quotes_is_refused_like_a_short_one() -> None:
    # Looked for again from each of its quotes, the end of its string would take minutes to miss.
    for pairs in (2, 2**18):
        assert json_problem('\\"' * pairs) == "is not valid JSON: line 1, column 1: Expecting value"


def test_brackets_in_a_string_that_does_not_end_are_not_nested() -> None:
    problem = "is not valid JSON: line 1, column 1: Unterminated string starting at"
    assert json_problem('"' + "[" * 101) == problem
    assert json_problem("[" * 101 + '"') == "is nested more than 100 levels deep"
