import json

import pytest

from mrunners.errors import InvalidInputError, RefusedError
from mrunners.plan.plan import RunPlan
from mrunners.plan.planning import PlannedRun, plan_run
from mrunners.plan.tracker import (
    overflow_manifests,
    place_profiles,
    profile_key,
    read_plan,
    tracker_manifest,
)
from mrunners.profiles.rendering import profile_digest
from tests.unit.env import IMAGE, RUN_ID, loaded, options, planned, uris

KIB = 1024
LABELS = {
    "app.kubernetes.io/name": "mrunners",
    "app.kubernetes.io/managed-by": "mrunners",
    "app.kubernetes.io/component": "tracker",
    "mrunners.dev/tracker": "mrunners",
    "mrunners.dev/run-id": RUN_ID,
}


def run_of(*texts: str) -> PlannedRun:
    """A run of one runner per profile, as rendered."""
    asked = options(runners=uris(*[1] * len(texts)))
    runners = [
        loaded(uri).model_copy(update={"rendered": text, "digest": profile_digest(text)})
        for uri, text in zip(asked.runners, texts, strict=True)
    ]
    return plan_run(asked, runners, run_key="key")


def large(mark: str) -> str:
    """A profile of 200 KiB: four of them fit into one ConfigMap."""
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
        "start_timeout_seconds": 300.0,
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
    }


def stored(plan: RunPlan, run: PlannedRun) -> dict[str, str]:
    data = tracker_manifest(plan, run.profiles)["data"]
    assert isinstance(data, dict)
    return data


def test_a_plan_comes_back_from_its_tracker_as_it_was() -> None:
    run = planned(2, 1, spread="require", report="plain", start_timeout="90s")
    assert read_plan("load", "mrunners", stored(run.plan, run)) == run.plan


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "holds no plan.json, so it is not a tracker of mrunners; choose another name"),
        ("{", r"cannot read \(plan.json: Invalid JSON"),
        ('{"schema": "mrunners.plan/v2"}', r"cannot read \(schema: Input should be"),
        ("[]", r"cannot read \(plan.json: Input should be an object"),
    ],
)
def test_what_holds_no_plan_of_ours_is_refused(text: str | None, message: str) -> None:
    data = {} if text is None else {"plan.json": text}
    with pytest.raises(RefusedError, match=message) as caught:
        read_plan("load", "mrunners", data)
    assert (caught.value.namespace, caught.value.tracker) == ("load", "mrunners")


def test_a_plan_with_a_key_of_a_later_release_is_refused() -> None:
    run = planned()
    later = json.dumps({**json.loads(stored(run.plan, run)["plan.json"]), "later": 1})
    with pytest.raises(RefusedError, match=r"\(later: Extra inputs .*use the release .* that made"):
        read_plan("load", "mrunners", {"plan.json": later})


@pytest.mark.parametrize(
    ("edited", "message"),
    [
        ({"run_id": "../../etc"}, r"cannot read \(run_id: String should match"),
        ({"run_id": "x,owner=other"}, r"cannot read \(run_id: String should match"),
        ({"namespace": "kube-system"}, "the plan of another tracker, kube-system/mrunners;"),
        ({"tracker": "other"}, "the plan of another tracker, load/other;"),
    ],
)
def test_a_plan_that_somebody_has_edited_is_refused(edited: dict[str, str], message: str) -> None:
    plan = json.loads(planned().plan.model_dump_json(by_alias=True))
    with pytest.raises(RefusedError, match=message):
        read_plan("load", "mrunners", {"plan.json": json.dumps({**plan, **edited})})


def test_profiles_beyond_900_kib_go_to_config_maps_that_the_tracker_owns() -> None:
    run = run_of(*(large(mark) for mark in "abcdef"))
    places = place_profiles(run.plan, run.profiles)
    by_place: dict[str, list[str]] = {}
    for job in run.plan.jobs:
        by_place.setdefault(places[job.profile_digest], []).append(job.profile_digest)
    assert list(by_place) == ["mrunners", "mrunners-profiles-1"]
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
        "data": {profile_key(d): run.profiles[d] for d in by_place["mrunners-profiles-1"]},
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
    assert len(stored(run.plan, run)) == 3


def test_a_profile_that_no_config_map_can_hold_is_told_with_its_runners() -> None:
    run = planned(2, 1)
    (digest,) = run.profiles
    with pytest.raises(InvalidInputError) as caught:
        place_profiles(run.plan, {digest: "x" * (900 * KIB + 1)})
    assert caught.value.problems == (
        "the load profile of file:///load/0.yaml?numbers=2, file:///load/1.yaml?numbers=1 takes "
        "921,601 bytes as written for kperf, more than a ConfigMap holds (921,600); split it into "
        "several runners",
    )


def test_a_plan_that_no_config_map_can_hold_is_told() -> None:
    run = planned(2, 1)
    job = run.plan.jobs[0].model_copy(update={"uri": "file:///" + "x" * 900 * KIB})
    with pytest.raises(InvalidInputError, match=r"^the plan of 1 runners takes 92\d,\d+ bytes"):
        place_profiles(run.plan.model_copy(update={"jobs": (job,)}), run.profiles)
