import pytest

from mrunners.errors import InvalidInputError
from mrunners.plan.option_table import Spread
from mrunners.plan.plan import PlannedJob, ProfileLoad, RunPlan
from mrunners.plan.planning import PlannedRun, plan_run
from mrunners.plan.pod_options import PodSettings
from mrunners.plan.pod_template import read_pod_template
from mrunners.profiles.images import KperfRelease, newer_release_warning
from mrunners.reports.analysis.pace import SpecTarget
from mrunners.reports.runner_script import ReportMode
from tests.unit.env import IMAGE, RUN_ID, loaded, options, planned, profile, uris

URI = "file:///load/0.yaml?numbers=2"


def plan_of(limit: str, *, rate: int = 10, **changes: object) -> PlannedRun:
    runner = loaded(URI, profile(rate=rate, limit=limit))
    return plan_run(options(runners=(URI,), **changes), [runner], run_key="key")


def test_a_plan_contains_what_the_options_and_profiles_say() -> None:
    runner = loaded(URI)
    run = plan_of("total: 100", spread="off", report="plain", tracker="night", start_timeout="1m")
    assert run == PlannedRun(
        plan=RunPlan(
            run_id=RUN_ID,
            namespace="load",
            tracker="night",
            image=IMAGE,
            service_account="default",
            spread=Spread.OFF,
            report_mode=ReportMode.PLAIN,
            node_log_limit_bytes=10 * 1024 * 1024,
            start_timeout_seconds=60.0,
            jobs=(
                PlannedJob(
                    index=0,
                    name="night-0",
                    uri=URI,
                    pod_count=2,
                    profile_digest=runner.digest,
                    expected_seconds=10.0,
                    target_per_second=10.0,
                    clients=1,
                ),
            ),
            loads=(ProfileLoad(digest=runner.digest, specs=(SpecTarget(rate=10.0, clients=1),)),),
            pods=PodSettings(
                platform=(("kubernetes.io/os", "linux"), ("kubernetes.io/arch", "amd64"))
            ),
        ),
        profiles={runner.digest: runner.rendered},
    )


def test_a_total_that_cannot_fit_into_a_nodes_log_is_refused_with_the_pods_that_it_takes() -> None:
    with pytest.raises(InvalidInputError) as caught:
        plan_of("total: 5000000", node_log_limit="1Mi")
    assert caught.value.problems == (
        f"runner 1 of 1 ({URI}): about 5,000,000 samples per pod do not fit into a node's log "
        "of 1Mi: at most 2,490,000 could; share the load among 173 pods, or raise the node log "
        "limit if the nodes keep more",
    )


def test_a_total_that_may_not_fit_is_a_warning() -> None:
    assert plan_of("total: 680000").warnings == ()
    assert plan_of("total: 1000000").warnings == (
        f"runner 1 of 1 ({URI}): about 1,000,000 samples per pod may not fit into a node's log of "
        "10Mi: 680,000 surely do, and how many more depends on their latencies; to be sure, share "
        "the load among 3 pods, raise the report logs to 2, or raise the node log limit if the "
        "nodes keep more",
    )


def test_more_samples_fit_into_several_logs_up_to_what_a_report_can_have() -> None:
    assert plan_of("total: 5000000", report_logs="7").warnings == ()
    assert plan_of("total: 3500000", report_logs="4").warnings == (
        f"runner 1 of 1 ({URI}): about 3,500,000 samples per pod may not fit into 4 logs of 10Mi "
        "each: 3,040,000 surely do, and how many more depends on their latencies; to be sure, "
        "share the load among 3 pods, raise the report logs to 5, or raise the node log limit if "
        "the nodes keep more",
    )
    with pytest.raises(InvalidInputError) as caught:
        plan_of("total: 13000000", report_logs="8")
    assert caught.value.problems == (
        f"runner 1 of 1 ({URI}): about 13,000,000 samples per pod do not fit into 8 logs of 10Mi "
        "each: at most 12,200,000 could; share the load among 5 pods",
    )


def test_what_a_template_says_of_a_sidecar_that_prints_a_part_is_refused_only_if_it_has_one() -> (
    None
):
    text = b"spec: {initContainers: [{name: report-2, image: busybox}]}"
    template = read_pod_template(text)
    runner = loaded(URI)
    with pytest.raises(InvalidInputError) as caught:
        plan_run(options(report_logs="2"), [runner], run_key="k", pod_template=template)
    assert caught.value.problems == (
        "the pod template: spec.initContainers.report-2.image: it cannot be set here, because "
        "this container has a part of the report in its log",
    )
    plan_run(options(), [runner], run_key="k", pod_template=template)


def test_fewer_samples_of_a_plain_report_fit_into_a_nodes_log() -> None:
    assert plan_of("total: 84000", report="plain").warnings == ()
    with pytest.raises(InvalidInputError, match=r"at most 84,500 could; share .* 3 pods"):
        plan_of("total: 100000", report="plain")


def test_more_samples_fit_into_a_larger_log_limit() -> None:
    assert plan_of("total: 5000000", node_log_limit="80Mi").warnings == ()


def test_a_duration_whose_samples_do_not_fit_if_the_rate_is_reached_is_a_warning() -> None:
    assert plan_of("duration: 1500", rate=2000, node_log_limit="1Mi").warnings == (
        f"runner 1 of 1 ({URI}): about 3,000,000 samples per pod do not fit into a node's log "
        "of 1Mi: at most 2,490,000 could; share the load among 104 pods, or raise the node log "
        "limit if the nodes keep more",
    )


def test_there_is_no_warning_about_a_duration_without_a_rate() -> None:
    assert plan_of("duration: 1000", rate=0).warnings == ()


def test_a_warning_about_a_profile_names_its_runner() -> None:
    warnings = plan_of("total: 100\n  duration: 3").warnings
    assert warnings == ("runner 1: specs[0]: both total and duration are set; duration is ignored",)


def test_a_kperf_that_is_newer_than_all_known_is_warned_of_once() -> None:
    (warning,) = planned(2, 1, runner_image="kperf:0.3.6").warnings
    assert warning == newer_release_warning(KperfRelease(0, 3, 6))


def test_a_warning_that_several_runners_have_is_one_line_and_stored_once() -> None:
    requested = options(runners=(URI, "file:///b?numbers=1", "file:///c?numbers=1"))
    text = profile(limit="total: 100\n  duration: 3")
    runners = [
        loaded(requested.runners[0], text),
        loaded(requested.runners[1]),
        loaded(requested.runners[2], text),
    ]
    run = plan_run(requested, runners, run_key="key")
    warning = "specs[0]: both total and duration are set; duration is ignored"
    assert run.warnings == (f"runners 1, 3: {warning}",)
    spec = SpecTarget(rate=10.0, clients=1)
    assert run.plan.loads == (
        ProfileLoad(digest=runners[0].digest, specs=(spec,), warnings=(warning,)),
    )


def test_what_kperf_makes_of_the_rates_stands_in_the_plan() -> None:
    request = "    requests: [{shares: 1, staleList: {version: v1, resource: pods}}]\n"
    text = (
        "version: 1\nspecs:\n"
        f"  - rate: 10\n    total: 100\n    conns: 2\n    client: 4\n{request}"
        f"  - rate: 50\n    duration: 60\n    client: 4\n{request}"
        f"  - total: 900\n{request}"
    )
    runner = loaded(URI, text)
    (load,) = plan_run(options(runners=(URI,)), [runner], run_key="key").plan.loads
    assert load == ProfileLoad(
        digest=runner.digest,
        specs=(
            SpecTarget(rate=10.0, clients=4),
            SpecTarget(rate=50.0, clients=4, duration_seconds=60.0, ceiling=20.0),
            SpecTarget(clients=1, ceiling=10.0),
        ),
        warnings=runner.warnings,
    )


def test_very_many_specs_are_not_stored_and_the_run_starts_all_the_same() -> None:
    request = "requests: [{shares: 1, staleList: {version: v1, resource: pods}}]"
    specs = "".join(f"- {{rate: 10, total: 1, {request}}}\n" for _ in range(1001))
    runner = loaded(URI, f"version: 1\nspecs:\n{specs}")
    plan = plan_run(options(runners=(URI,)), [runner], run_key="key").plan
    assert plan.loads == (ProfileLoad(digest=runner.digest),)


def test_each_runner_that_is_too_large_has_a_line() -> None:
    requested = options(runners=(URI, "file:///b?numbers=1", "file:///c?numbers=1"))
    huge = profile(limit="total: 13000000")
    runners = [
        loaded(requested.runners[0], huge),
        loaded(requested.runners[1]),
        loaded(requested.runners[2], huge),
    ]
    with pytest.raises(InvalidInputError) as caught:
        plan_run(requested, runners, run_key="key")
    assert [line.partition(":")[0] for line in caught.value.problems] == [
        "runner 1 of 3 (file",
        "runner 3 of 3 (file",
    ]


def test_a_run_of_more_pods_than_a_cluster_can_have_is_refused() -> None:
    requested = options(runners=[f"file:///load/{i}.yaml?numbers=10000" for i in range(16)])
    runners = [loaded(uri) for uri in requested.runners]
    with pytest.raises(InvalidInputError) as caught:
        plan_run(requested, runners, run_key="key")
    assert caught.value.problems == (
        "the runners have 160,000 pods together, but a run has at most 150,000",
    )
    assert plan_run(requested, runners[:15], run_key="key").plan.pod_count == 150_000


@pytest.mark.parametrize("account", ["mine", "default"])
def test_an_account_that_was_asked_for_beats_those_of_runner_groups(account: str) -> None:
    group = {"service_account": "own"}
    runners = [loaded(uri).model_copy(update=group) for uri in uris(1)]
    left = plan_run(options(), runners, run_key="k")
    assert (left.plan.service_account, left.plan.jobs[0].service_account) == ("default", "own")
    assert left.warnings == ()
    asked = plan_run(options(service_account=account), runners, run_key="k")
    assert (asked.plan.service_account, asked.plan.jobs[0].service_account) == (account, None)
    assert asked.warnings == (
        "runner 1: serviceAccount: own of the runner group is not used, because the run has the "
        f"ServiceAccount {account}",
    )
