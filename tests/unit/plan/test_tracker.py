import json

import pytest

from mrunners.errors import InvalidInputError, NextStep, RefusedError
from mrunners.plan.planning import PlannedRun, plan_run
from mrunners.plan.pod_template import PodTemplate
from mrunners.plan.tracker import (
    assign_profiles,
    overflow_manifests,
    profile_key,
    read_plan,
    tracker_manifest,
)
from mrunners.profiles.rendering import profile_digest
from mrunners.refs import RunRef
from tests.unit.env import IMAGE, RUN_ID, loaded, options, planned, uris

KIB = 1024
RUN = RunRef("load", "mrunners")
JOB = planned(1).plan.jobs[0].model_dump()
LABELS = {
    "app.kubernetes.io/name": "mrunners",
    "app.kubernetes.io/managed-by": "mrunners",
    "app.kubernetes.io/component": "tracker",
    "mrunners.dev/tracker": "mrunners",
    "mrunners.dev/run-id": RUN_ID,
}


def run_of(*texts: str) -> PlannedRun:
    """Plan a run with one runner per rendered profile."""
    requested = options(runners=uris(*[1] * len(texts)))
    runners = [
        loaded(uri).model_copy(update={"rendered": text, "digest": profile_digest(text)})
        for uri, text in zip(requested.runners, texts, strict=True)
    ]
    return plan_run(requested, runners, run_key="key")


def large(mark: str) -> str:
    """Return a profile of 200 KiB, four of which fit into one ConfigMap."""
    return mark * 200 * KIB


def test_the_tracker_is_this_whole_manifest() -> None:
    run = planned(2, 1)
    (digest,) = run.profiles
    manifest = tracker_manifest(run.plan, run.profiles)
    data = manifest["data"]
    assert isinstance(data, dict)
    plan_json = data["plan.json"]
    assert manifest == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "mrunners", "namespace": "load", "labels": LABELS},
        "immutable": True,
        "data": {"plan.json": plan_json, f"profile-{digest[:16]}.yaml": run.profiles[digest]},
    }
    job = {
        "profile_digest": digest,
        "expected_seconds": 10.0,
        "target_per_second": 10.0,
        "clients": 1,
        "node_affinity": [],
        "service_account": None,
    }
    assert json.loads(plan_json) == {
        "schema": "mrunners.plan/v1",
        "run_id": RUN_ID,
        "namespace": "load",
        "tracker": "mrunners",
        "image": IMAGE,
        "service_account": "default",
        "spread": "prefer",
        "report_mode": "framed",
        "node_log_limit_bytes": 10485760,
        "report_logs": 1,
        "start_timeout_seconds": 300.0,
        "start_delay_seconds": 0.0,
        "jobs": [
            {
                **job,
                "index": 0,
                "name": "mrunners-0",
                "uri": "file:///load/0.yaml?numbers=2",
                "pod_count": 2,
            },
            {
                **job,
                "index": 1,
                "name": "mrunners-1",
                "uri": "file:///load/1.yaml?numbers=1",
                "pod_count": 1,
            },
        ],
        "slo": [],
        "overrides": {"total": None, "duration": None, "rate": None},
        "loads": [
            {
                "digest": digest,
                "specs": [{"rate": 10.0, "clients": 1, "duration_seconds": None, "ceiling": None}],
                "warnings": [],
            }
        ],
        "pods": {"platform": [["kubernetes.io/os", "linux"], ["kubernetes.io/arch", "amd64"]]},
    }


def tracker_data(run: PlannedRun) -> dict[str, str]:
    data = tracker_manifest(run.plan, run.profiles)["data"]
    assert isinstance(data, dict)
    return data


def test_a_plan_is_read_from_its_tracker_unchanged() -> None:
    run = planned(2, 1, spread="require", report="plain", start_timeout="90s")
    assert read_plan(RUN, tracker_data(run), RUN_ID) == run.plan


@pytest.mark.parametrize(
    ("text", "message", "step"),
    [
        (
            None,
            "^configmap/mrunners in namespace load holds no plan.json, so it is not a tracker of "
            "mrunners$",
            NextStep.OTHER_TRACKER,
        ),
        ("{", r"cannot read \(plan.json: Invalid JSON", NextStep.FORCE_DELETE),
        (
            '{"schema": "mrunners.plan/v2"}',
            r"cannot read \(schema: Input should be",
            NextStep.FORCE_DELETE,
        ),
        ("[]", r"cannot read \(plan.json: Input should be an object", NextStep.FORCE_DELETE),
    ],
)
def test_a_config_map_without_a_readable_plan_is_refused(
    text: str | None, message: str, step: NextStep
) -> None:
    data = {} if text is None else {"plan.json": text}
    with pytest.raises(RefusedError, match=message) as caught:
        read_plan(RUN, data, RUN_ID)
    assert (caught.value.run, caught.value.next_steps) == (RUN, (step,))
    assert (caught.value.namespace, caught.value.tracker) == ("load", "mrunners")


def test_a_plan_with_a_key_of_a_later_release_is_refused() -> None:
    run = planned()
    later = json.dumps({**json.loads(tracker_data(run)["plan.json"]), "later": 1})
    with pytest.raises(
        RefusedError, match=r"\(later: Extra inputs .*use the release .* that created"
    ):
        read_plan(RUN, {"plan.json": later}, RUN_ID)


@pytest.mark.parametrize(
    ("edited", "message"),
    [
        ({"run_id": "../../etc"}, r"cannot read \(run_id: String should match"),
        ({"run_id": "x,owner=other"}, r"cannot read \(run_id: String should match"),
        ({"namespace": "kube-system"}, "is the plan of another tracker, kube-system/mrunners$"),
        ({"tracker": "other"}, "is the plan of another tracker, load/other$"),
        (
            {"run_id": "00000000-0000-0000-0000-000000000000"},
            f"its label is run ID {RUN_ID}, and its plan has 00000000-0000-0000-0000-000000000000$",
        ),
        ({"jobs": [JOB, JOB]}, "contradicts itself: the indexes of its Jobs are not 0, 1, 2, …$"),
        ({"jobs": [JOB, {**JOB, "index": 1}]}, "itself: two of its Jobs have the same name$"),
        ({"jobs": [{**JOB, "pod_count": 10**9}]}, r"cannot read \(jobs.0.pod_count: .* 10000\);"),
        ({"jobs": []}, r"cannot read \(jobs: Tuple should have at least 1 item"),
        (
            {
                "jobs": [
                    {**JOB, "index": i, "name": f"j-{i}", "pod_count": 10_000} for i in range(16)
                ]
            },
            "contradicts itself: it has 160,000 pods, more than 150,000$",
        ),
        ({"start_timeout_seconds": "Infinity"}, r"cannot read \(start_timeout_seconds: "),
        ({"node_log_limit_bytes": -1}, r"cannot read \(node_log_limit_bytes: "),
        # Found by fuzzing: the unknown key reached the terminal as it was, and whole.
        ({"\x1b[2J" * 1000: 1}, r"cannot read \((?:[\\x1b[2J…]){100,200}: Extra inputs"),
    ],
)
def test_an_edited_plan_is_refused(edited: dict[str, object], message: str) -> None:
    plan = json.loads(planned().plan.model_dump_json(by_alias=True))
    with pytest.raises(RefusedError, match=message):
        read_plan(RUN, {"plan.json": json.dumps({**plan, **edited})}, RUN_ID)


def test_profiles_beyond_900_kib_go_to_config_maps_that_the_tracker_owns() -> None:
    run = run_of(*(large(mark) for mark in "abcdef"))
    config_maps = assign_profiles(run.plan, run.profiles)
    digests: dict[str, list[str]] = {}
    for job in run.plan.jobs:
        digests.setdefault(config_maps[job.profile_digest], []).append(job.profile_digest)
    assert list(digests) == ["mrunners", "mrunners-profiles-1"]
    (manifest,) = overflow_manifests(run.plan, run.profiles, "tracker-uid")
    assert manifest == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "mrunners-profiles-1",
            "namespace": "load",
            "labels": {**LABELS, "app.kubernetes.io/component": "profiles"},
            "ownerReferences": [
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "name": "mrunners",
                    "uid": "tracker-uid",
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "immutable": True,
        "data": {profile_key(d): run.profiles[d] for d in digests["mrunners-profiles-1"]},
    }


def test_no_config_map_of_a_run_holds_more_than_900_kib() -> None:
    run = run_of(*(large(mark) for mark in "abcdefghij"))
    manifests = [
        tracker_manifest(run.plan, run.profiles),
        *overflow_manifests(run.plan, run.profiles, "tracker-uid"),
    ]
    sizes = []
    for manifest in manifests:
        data = manifest["data"]
        assert isinstance(data, dict)
        sizes.append(sum(len(text.encode()) for text in data.values()))
    assert len(sizes) == 3
    assert max(sizes) <= 900 * KIB


def test_each_distinct_profile_is_stored_once() -> None:
    run = run_of("a", "b", "a")
    assert list(run.profiles) == [job.profile_digest for job in run.plan.jobs[:2]]
    assert len(tracker_data(run)) == 3


def test_a_profile_larger_than_a_config_map_is_refused_with_its_runners() -> None:
    run = planned(2, 1)
    (digest,) = run.profiles
    with pytest.raises(InvalidInputError) as caught:
        assign_profiles(run.plan, {digest: "x" * (900 * KIB + 1)})
    assert caught.value.problems == (
        "the load profile of file:///load/0.yaml?numbers=2, file:///load/1.yaml?numbers=1 takes "
        "921,601 bytes as rendered for kperf, but a ConfigMap holds at most 921,600; split it into "
        "several runners",
    )


def test_a_plan_larger_than_a_config_map_is_refused() -> None:
    run = planned(2, 1)
    job = run.plan.jobs[0].model_copy(update={"uri": "file:///" + "x" * 900 * KIB})
    with pytest.raises(InvalidInputError, match=r"^the plan of 1 runner takes 92\d,\d+ bytes"):
        assign_profiles(run.plan.model_copy(update={"jobs": (job,)}), run.profiles)


def test_a_plan_that_its_pod_template_makes_too_large_names_the_template() -> None:
    template: PodTemplate = {"spec": {"dnsConfig": {"searches": ["a" * 1000] * 1000}}}
    requested = options(runners=uris(1))
    with pytest.raises(InvalidInputError, match=r"are the pod template's: use a smaller one$"):
        plan_run(
            requested,
            [loaded(uri) for uri in requested.runners],
            run_key="key",
            pod_template=template,
        )
