import pytest

from mrunners.errors import InvalidOptionsError
from mrunners.plan.options import AdvancedOptions, IfExists, RunOptions, validate_options
from mrunners.profiles.overrides import NO_OVERRIDES, ProfileOverrides
from mrunners.refs import ClusterRef, RunRef
from tests.unit.env import options


def problems(**changes: object) -> list[str]:
    """One line per problem, with the path of the option's field."""
    try:
        validate_options(options(**changes))
    except InvalidOptionsError as error:
        return list(error.problems)
    return []


def test_valid_options_pass() -> None:
    assert problems() == []
    assert problems(service_account="a.b", timeout="2h", tracker="n" * 50) == []


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"namespace": ""}, "namespace: must not be empty"),
        (
            {"namespace": "My_NS"},
            "namespace: must consist of lowercase letters, digits and '-', and start and end "
            "with a letter or digit, got 'My_NS'",
        ),
        ({"tracker": "n" * 51}, "advanced.tracker: must be at most 50 characters long, is 51"),
        (
            {"service_account": "-"},
            "service_account: must consist of lowercase letters, digits, '-' and '.', and each "
            "part between dots must start and end with a letter or digit, got '-'",
        ),
        (
            {"timeout": "10"},
            "timeout: not a duration: '10'; write it like 90s, 10m, 2h or 1h30m",
        ),
        (
            {"start_timeout": "0s"},
            "advanced.start_timeout: a duration must be greater than 0, got '0s'",
        ),
        (
            {"total": "0"},
            "advanced.total: must be a whole number from 1 to 999999999, got '0'",
        ),
        (
            {"duration": "soon"},
            "advanced.duration: not a duration: 'soon'; write it like 90s, 10m, 2h or 1h30m",
        ),
        (
            {"duration": "10m", "runner_image": "ghcr.io/azure/kperf:0.3.2"},
            "advanced.duration: needs kperf 0.3.3 or later, but the image is kperf 0.3.2",
        ),
        ({"duration": "500ms"}, "advanced.duration: must be whole seconds, got '500ms'"),
        (
            {"duration": "90y"},
            "advanced.duration: not a duration: '90y'; write it like 90s, 10m, 2h or 1h30m",
        ),
        (
            {"duration": "90s", "total": "10"},
            "advanced.duration: cannot be combined with a total, beside which kperf ignores a "
            "duration",
        ),
        (
            {"rate": "fast"},
            "advanced.rate: must be a number from 0 to 999999999, such as 10, got 'fast'",
        ),
        (
            {"report_logs": "9"},
            "advanced.report_logs: must be a number from 1 to 8, got '9'",
        ),
        (
            {"report_logs": "2", "report": "plain"},
            "advanced.report_logs: only a framed report can be written into several logs",
        ),
        (
            {"start_delay": "soon"},
            "advanced.start_delay: not a duration: 'soon'; write it like 90s, 10m, 2h or 1h30m",
        ),
        ({"start_delay": "2h"}, "advanced.start_delay: must be at most 1h"),
        (
            {"start_delay": "30s", "report": "plain"},
            "advanced.start_delay: needs the framed report format: without a shell, nothing can "
            "wait in a pod",
        ),
        (
            {"node_log_limit": "much"},
            "advanced.node_log_limit: not a number of bytes: 'much'; write it like 10Mi, 512Ki or "
            "1048576",
        ),
        (
            {"runner_image": ""},
            "runner_image: give the kperf image, such as ghcr.io/azure/kperf:0.3.5",
        ),
        (
            {"runner_image": "a b"},
            "runner_image: the image name contains a blank or control character: 'a b'",
        ),
        (
            {"runner_image": "kperf:0.1.6"},
            "runner_image: mrunners cannot merge the reports of kperf 0.1.6; use 0.1.7 or later",
        ),
        (
            {"runners": ()},
            "runners: give at least one runner URI (only resuming a run needs none)",
        ),
    ],
)
def test_each_problem_is_one_line_with_the_path_of_its_option(
    changes: dict[str, object], line: str
) -> None:
    assert problems(**changes) == [line]


def test_all_problems_are_reported_at_once() -> None:
    lines = problems(namespace="", tracker="", timeout="x", runner_image="", runners=())
    assert [line.partition(":")[0] for line in lines] == [
        "namespace",
        "advanced.tracker",
        "timeout",
        "runner_image",
        "runners",
    ]


def test_resuming_needs_only_a_namespace() -> None:
    validate_options(
        RunOptions(namespace="load", advanced=AdvancedOptions(if_exists=IfExists.RESUME))
    )


def test_resuming_with_runners_needs_their_image() -> None:
    assert problems(if_exists="resume", runner_image="") == [
        "runner_image: give the kperf image, such as ghcr.io/azure/kperf:0.3.5"
    ]


def test_options_name_their_cluster_and_their_run() -> None:
    chosen = options(kubeconfig="/etc/kubeconfig", context="prod", tracker="nightly")
    assert chosen.cluster == ClusterRef("/etc/kubeconfig", "prod")
    assert chosen.ref == RunRef("load", "nightly")


def test_options_name_what_replaces_values_of_the_load_profiles() -> None:
    assert options().overrides == NO_OVERRIDES
    assert options(total="100", rate="0").overrides == ProfileOverrides(total=100, rate=0)
    assert options(duration="90").overrides == ProfileOverrides(duration=90)
    assert options(duration="1h30m").overrides == ProfileOverrides(duration=5400)


def test_the_form_asks_for_what_a_new_run_needs_and_says_how_a_resumed_run_goes_without() -> None:
    schema = RunOptions.model_json_schema()
    assert schema["required"] == ["runners", "runner_image", "namespace"]
    for name, empty in (("runners", "[]"), ("runner_image", '""')):
        field = schema["properties"][name]
        assert "default" not in field
        _, _, resumed = field["description"].partition("Not needed to resume a run. ")
        assert f'give "{name}": {empty} through the API' in resumed
