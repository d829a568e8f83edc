"""What who lives in kubectl types without thinking: each row of docs/kubectl.md, done."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
import pytest
import yaml

from mrunners import connection
from mrunners.connection import Connection
from mrunners.errors import ExitCode, ForbiddenError
from mrunners.kube import endpoint
from mrunners.refs import ClusterLocation
from mrunners.reports.merged import MergedReport
from mrunners.run.observer import RunObserver
from mrunners.run.report_store import ReportStore, default_store_path
from mrunners_cli.commands import run as run_module
from mrunners_cli.commands.run import run
from mrunners_cli.exits import exit_code_of
from mrunners_cli.flags import namespace_or_default
from mrunners_cli.main import cli
from tests.fakes import LOCATION, FakeClock, FakeCluster
from tests.unit.env import IMAGE, RUN_ID, deploy, find, finish, log_of, planned
from tests.unit.kube.certificates import Authority

DOCS = Path(__file__).parents[3] / "docs" / "kubectl.md"
OTHER_KEY = "another run"
MAIN = "import mrunners_cli.main; mrunners_cli.main.main()"


class Terminal:
    """One cluster that every command connects to, and this machine's store."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.clock = FakeClock()
        self.cluster = FakeCluster(self.clock)
        for request in ("list_jobs", "list_pods"):
            self.cluster.before(request, self.cluster.collect_garbage)
        self.given: list[tuple[str, str]] = []
        self._capsys = capsys

    def connect(
        self, kubeconfig: str, *, context: str, max_qps: str, observer: RunObserver
    ) -> Connection:
        self.given.append((kubeconfig, context))
        store = ReportStore(default_store_path(), observer.warn)
        return Connection(self.cluster, observer, store, sleep=self.clock.sleep)

    def __call__(self, *args: str, code: int = 0) -> str:
        """Run a command, and return its stdout; `self.err` has its stderr."""
        ended = exit_code_of(lambda: cli.main(args, "mrunners", standalone_mode=False))
        printed = self._capsys.readouterr()
        assert ended == code, printed.err
        self.err = printed.err
        return printed.out


@pytest.fixture
def mrunners(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Terminal:
    terminal = Terminal(capsys)
    monkeypatch.setattr(connection, "connect", terminal.connect)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return terminal


@pytest.fixture
def running(mrunners: Terminal) -> Terminal:
    """A run of two pods, of which one runs."""
    deploy(mrunners.cluster, planned(2))
    mrunners.cluster.start_pod("mrunners-0", 0)
    return mrunners


@pytest.fixture
def finished(mrunners: Terminal) -> Terminal:
    """A run of two pods that has finished."""
    deploy(mrunners.cluster, planned(2))
    finish(mrunners.cluster, planned(2).plan)
    return mrunners


COMMANDS = ["wait", "result", "status", "delete"]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("args", [["-n", "a"], ["--namespace=a"], ["a"], ["a", "-n", "a"]], ids=str)
def test_a_namespace_is_given_with_n_or_as_an_argument(
    command: str, args: list[str], mrunners: Terminal
) -> None:
    mrunners(command, *args, code=ExitCode.REFUSED)
    assert "error: no tracker in namespace a: " in mrunners.err


@pytest.mark.parametrize("args", [["-n", "a"], ["--namespace=a"], ["a"]], ids=str)
def test_list_and_run_take_a_namespace_as_the_others_do(
    args: list[str], mrunners: Terminal
) -> None:
    mrunners("list", *args)
    assert mrunners.err == f"no runs found in namespace a of {LOCATION}\n"
    mrunners("run", *args, "--resume", code=ExitCode.REFUSED)
    assert mrunners.err.startswith("error: tracker a/mrunners does not exist\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_namespace_the_contexts_is_used(command: str, mrunners: Terminal) -> None:
    mrunners(command, code=ExitCode.REFUSED)
    assert "error: no tracker in namespace load: " in mrunners.err


def test_in_a_pod_without_a_kubeconfig_the_pods_own_namespace_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("of-the-pod")
    (tmp_path / "namespace").write_text("nightly-load\n")
    (tmp_path / "ca.crt").write_bytes(Authority().pair.pem)
    monkeypatch.setattr(endpoint, "POD_FOLDER", tmp_path)
    monkeypatch.setattr("mrunners.kube.authentication.POD_FOLDER", tmp_path)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    for name, value in {"SERVICE_HOST": "10.0.0.1", "SERVICE_PORT": "443"}.items():
        monkeypatch.setenv(f"KUBERNETES_{name}", value)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert namespace_or_default("", connection.connect().location) == "nightly-load"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_variable_beats_the_context_and_an_argument_beats_both(
    command: str, mrunners: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MRUNNERS_NAMESPACE", "a")
    mrunners(command, code=ExitCode.REFUSED)
    assert "error: no tracker in namespace a: " in mrunners.err
    for args in (["b"], ["-n", "b"]):
        mrunners(command, *args, code=ExitCode.REFUSED)
        assert "error: no tracker in namespace b: " in mrunners.err


def test_a_context_without_a_namespace_never_means_default() -> None:
    with pytest.raises(click.UsageError) as caught:
        namespace_or_default("", replace(LOCATION, namespace=""))
    assert caught.value.message == (
        "no namespace: give one with -n NAME, set MRUNNERS_NAMESPACE, or set that of the context "
        "with: kubectl config set-context --current --namespace=NAME"
    )


@pytest.mark.parametrize("command", [*COMMANDS, "list"])
def test_a_context_is_given_by_flag_or_variable(
    command: str, mrunners: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = 0 if command == "list" else ExitCode.REFUSED
    mrunners(command, "--context", "prod", "--kubeconfig", "k", code=code)
    monkeypatch.setenv("MRUNNERS_CONTEXT", "staging")
    monkeypatch.setenv("MRUNNERS_KUBECONFIG", "m")
    mrunners(command, code=code)
    assert mrunners.given == [("k", "prod"), ("m", "staging")]


def test_variables_set_the_defaults_of_a_runs_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MRUNNERS_RUNNER_IMAGE", IMAGE)
    monkeypatch.setenv("MRUNNERS_SPREAD", "require")
    monkeypatch.setenv("MRUNNERS_WAIT", "true")
    monkeypatch.setenv("MRUNNERS_SERVICE_ACCOUNT", "")
    names = ["-h", "--help"]
    params = run.make_context("run", ["--spread", "off"], help_option_names=names).params
    chosen = ("runner_image", "spread", "wait", "service_account", "namespace")
    assert [params[name] for name in chosen] == [IMAGE, "off", True, "", None]


def test_a_variable_has_several_values_by_blanks_or_by_lines_where_these_can_have_blanks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MRUNNERS_RUNNERS", "file:///a?numbers=1 file:///b?numbers=2\n")
    monkeypatch.setenv("MRUNNERS_SLO", "LIST pods: p99 < 5s\n\n  errors = 0\n")
    monkeypatch.setenv("MRUNNERS_ANNOTATION", "note=two words\nteam=sre")
    params = run.make_context("run", []).params
    assert params["runners"] == ("file:///a?numbers=1", "file:///b?numbers=2")
    assert params["slo"] == ("LIST pods: p99 < 5s", "errors = 0")
    assert params["annotation"] == ("note=two words", "team=sre")


def test_no_variable_forces_or_replaces_anything() -> None:
    with click.Context(cli) as context:
        commands = [cli.get_command(context, name) for name in cli.list_commands(context)]
    dangerous = {"force", "replace", "resume", "dry_run", "deployment", "run_id", "output_format"}
    options = [
        option
        for command in commands
        if command is not None
        for option in command.params
        if isinstance(option, click.Option)
    ]
    assert {option.name for option in options} >= dangerous
    assert {option.name for option in options if option.envvar} & dangerous == set()


@pytest.mark.parametrize(
    ("name", "read"), [("json", json.loads), ("yaml", yaml.safe_load)], ids=["json", "yaml"]
)
def test_o_is_the_format(name: str, read: Callable[[str], object], finished: Terminal) -> None:
    report = read(finished("result", "-o", name))
    assert MergedReport.model_validate(report, strict=False).coverage.complete
    status = read(finished("status", "-o", name))
    assert isinstance(status, dict)
    assert (status["schema"], status["tracker"], status["collected"]) == (
        "mrunners.status/v1",
        "mrunners",
        True,
    )
    listed = read(finished("list", "-o", name))
    assert isinstance(listed, dict)
    assert [entry["tracker"] for entry in listed["runs"]] == ["mrunners"]


def test_a_report_is_json_in_a_pipe_and_a_table_on_a_terminal(
    finished: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert finished("result").startswith("{")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert finished("result").splitlines()[0] == "2 of 2 reports merged"


def test_o_name_is_what_kubectl_takes(finished: Terminal) -> None:
    assert finished("status", "-o", "name") == "configmap/mrunners\n"
    assert finished("list", "-o", "name") == "configmap/mrunners\n"


def test_o_is_no_file_and_the_error_says_what_is(finished: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    finished("result", "-o", str(path), code=ExitCode.INVALID)
    assert finished.err.splitlines()[0].endswith(f"write to a file with --output-file {path}")
    finished("status", "-o", str(path), code=ExitCode.INVALID)
    assert finished.err.splitlines()[0].endswith(f"write to a file with > {path}")
    finished("list", "-o", "jsonpath={.runs[0].run}", code=ExitCode.INVALID)
    assert finished.err.splitlines()[0] == (
        "error: -o jsonpath: templates are not supported (table, wide, json, yaml, name are); use "
        "-o json with jq"
    )
    finished("result", "--output-file", str(path))
    assert MergedReport.model_validate_json(path.read_bytes()).coverage.complete


def test_an_output_file_is_written_whole_or_not_at_all(
    finished: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def disk_is_full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "report.json"
    path.write_text("the one before")
    monkeypatch.setattr("os.replace", disk_is_full)
    finished("result", "--output-file", str(path), code=ExitCode.INVALID)
    assert finished.err.splitlines()[-1] == (
        f"error: --output-file {path}: No space left on device"
    )
    assert path.read_text() == "the one before"


def test_o_wide_has_pods_and_nodes(running: Terminal) -> None:
    shown = running("status", "-o", "wide").splitlines()
    assert shown[0] == f"cluster {LOCATION}"
    assert shown[-3].split() == ["pod", "index", "status", "node"]
    assert shown[-1].split() == ["mrunners-0-0-abcde", "0", "Running", "node-0"]
    head, row = running("list", "-o", "wide").splitlines()
    assert head.split() == ["NAME", "STATE", "ENDED", "COLLECTED", "AGE", "RUN", "IMAGE"]
    assert row.split()[-2:] == [RUN_ID, IMAGE]


def test_list_shows_the_runs_of_a_namespace_and_a_of_all(finished: Terminal) -> None:
    deploy(finished.cluster, planned(1, key=OTHER_KEY, tracker="nightly"))
    deploy(finished.cluster, planned(3, key="third", namespace="other"))
    finished.clock.seconds += 90
    assert finished("list") == (
        "NAME       STATE      ENDED   COLLECTED   AGE\n"
        "mrunners   finished   2/2     no          90s\n"
        "nightly    starting   0/1     no          90s\n"
    )
    assert [line.split()[:2] for line in finished("list", "-A").splitlines()] == [
        ["NAMESPACE", "NAME"],
        ["load", "mrunners"],
        ["load", "nightly"],
        ["other", "mrunners"],
    ]


def test_a_variable_is_no_reason_to_refuse_a_list_of_all(
    finished: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(finished.cluster, planned(3, key="third", namespace="other"))
    finished("result", "-n", "load")
    for name in ("NAMESPACE", "CONTEXT", "KUBECONFIG"):
        monkeypatch.setenv(f"MRUNNERS_{name}", "other")
    assert finished("list", "-A", "-o", "name") == "configmap/mrunners\nconfigmap/mrunners\n"
    assert finished("list", "--local", "-o", "name") == f"{RUN_ID}\n"
    assert json.loads(finished("result", "--run", RUN_ID))["namespace"] == "load"


def test_an_empty_list_says_so_on_stderr(mrunners: Terminal) -> None:
    assert mrunners("list", "-n", "a") == ""
    assert mrunners.err == f"no runs found in namespace a of {LOCATION}\n"


def test_a_tracker_that_cannot_be_read_hides_no_other(finished: Terminal) -> None:
    deploy(finished.cluster, planned(1, key=OTHER_KEY, tracker="broken"))
    finished.cluster.raw("ConfigMap", "broken")["data"] = {}
    rows = [line.split()[:3] for line in finished("list").splitlines()[1:]]
    assert rows == [["broken", "unreadable", "-"], ["mrunners", "finished", "2/2"]]
    assert finished.err.startswith("warning: configmap/broken in namespace load holds no plan.json")


def test_a_namespace_whose_jobs_may_not_be_read_hides_no_run_of_another(
    finished: Terminal,
) -> None:
    deploy(finished.cluster, planned(3, key="third", namespace="other"))
    forbidden = ForbiddenError("jobs is forbidden", verb="list", resource="jobs", namespace="load")
    finished.cluster.fail("list_jobs", forbidden)
    rows = [line.split()[:3] for line in finished("list", "-A").splitlines()[1:]]
    assert rows == [["load", "mrunners", "unreadable"], ["other", "mrunners", "starting"]]
    assert finished.err == "warning: jobs is forbidden\n"
    finished.cluster.fail("list_jobs", forbidden)
    finished("list", "-n", "load", code=ExitCode.CLUSTER)
    forbidden.namespace = ""
    finished.cluster.fail("list_config_maps", forbidden)
    finished("list", "-A", code=ExitCode.CLUSTER)
    assert finished.err == (
        "error: jobs is forbidden\n"
        "  list those of one namespace with -n NAME, or bind a ClusterRole that grants it in all "
        "of them\n"
    )


def test_status_shows_all_runs_of_a_namespace(running: Terminal) -> None:
    deploy(running.cluster, planned(1, key=OTHER_KEY, tracker="nightly"))
    shown = running("status", "--exit-code", code=ExitCode.STILL_RUNNING)
    described = re.findall(r"^tracker load/(\S+) ", shown, re.MULTILINE)
    assert described == ["mrunners", "nightly"]
    (alone,) = re.findall(
        r"^tracker (\S+) ", running("status", "--tracker", "nightly"), re.MULTILINE
    )
    assert alone == "load/nightly"


def test_a_status_is_watched_until_nothing_can_finish_any_more(running: Terminal) -> None:
    plan = planned(2).plan
    running.clock.then(lambda: None, lambda: finish(running.cluster, plan))
    shown = running("status", "--watch", "-o", "json")
    documents = re.split(r"(?<=^\}\n)", shown, flags=re.MULTILINE)[:-1]
    assert [json.loads(text)["state"] for text in documents] == ["running", "finished"]
    assert running.clock.slept == [1.0, 1.2]


def test_a_watch_loads_the_api_server_no_more_than_a_wait(running: Terminal) -> None:
    cluster, plan = running.cluster, planned(2).plan
    cluster.start_pod("mrunners-0", 1)
    running.clock.then(*[lambda: None] * 9, lambda: finish(cluster, plan))
    cluster.calls.clear()
    running("status", "--watch", "-o", "name")
    assert (cluster.calls.count("list_jobs"), cluster.calls.count("list_pods")) == (11, 2)
    assert max(running.clock.slept) > 2
    assert "get_config_map" not in cluster.calls


def test_whoever_watches_a_terminal_sees_the_time_that_is_left(
    running: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, plan = running.cluster, planned(2).plan
    cluster.start_pod("mrunners-0", 1)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "200")
    running.clock.then(lambda: None, lambda: None, lambda: finish(cluster, plan))
    shown = running("status", "--watch")
    assert re.findall(r"about (\w+) left", shown) == ["10s", "9s", "8s"]
    deploy(cluster, planned(1, key=OTHER_KEY, tracker="nightly"))
    monkeypatch.setattr("sys.stdout.isatty", lambda: False)
    running.clock.then(lambda: None, lambda: finish(cluster, planned(1, tracker="nightly").plan))
    shown = running("status", "--watch", "--tracker", "nightly")
    assert shown.count("tracker load/nightly") == 2


def test_a_status_of_a_namespace_shows_the_others_when_one_cannot_be_read(
    finished: Terminal,
) -> None:
    deploy(finished.cluster, planned(1, key=OTHER_KEY, tracker="broken"))
    finished.cluster.raw("ConfigMap", "broken")["data"] = {}
    shown = finished("status", "--exit-code", code=ExitCode.REFUSED)
    assert re.findall(r"^tracker (\S+) ", shown, re.MULTILINE) == ["load/mrunners"]
    assert finished.err.startswith("warning: configmap/broken in namespace load holds no plan.json")
    finished("status", "--tracker", "broken", code=ExitCode.REFUSED)
    assert finished.err.startswith("error: configmap/broken in namespace load holds no plan.json")


def test_a_run_that_is_deleted_while_it_is_watched_ends_nothing(running: Terminal) -> None:
    deploy(running.cluster, planned(1, key=OTHER_KEY, tracker="nightly"))
    running.clock.then(
        lambda: running.cluster.remove("ConfigMap", "nightly"),
        lambda: finish(running.cluster, planned(2).plan),
    )
    assert running("status", "-w", "-o", "name").split() == [
        *["configmap/mrunners", "configmap/nightly"],
        "configmap/mrunners",
        "configmap/mrunners",
    ]
    running.clock.then(lambda: running.cluster.remove("ConfigMap", "mrunners"))
    running.cluster.raw("Job", "mrunners-0")["status"].pop("conditions")
    running.cluster.start_pod("mrunners-0", 0)
    assert running("status", "-w", "-o", "name") == "configmap/mrunners\n"


@pytest.mark.parametrize("command", ["status", "delete"])
def test_the_cluster_is_named(command: str, finished: Terminal) -> None:
    finished("result", "--quiet")
    shown = finished(command)
    assert "https://cluster:6443 (context test)" in shown + finished.err


def test_a_run_names_the_cluster_before_it_loads_it(
    finished: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "_run_flow", lambda *_: None)
    finished("run", "--resume")
    assert finished.err == f"the load is for {LOCATION}, namespace load\n"


def test_a_location_says_how_the_cluster_was_chosen() -> None:
    assert str(ClusterLocation("https://10.0.0.1:443")) == (
        "https://10.0.0.1:443 (the pod's own cluster)"
    )


def test_a_report_outlives_its_run(finished: Terminal) -> None:
    report = finished("result")
    created = find(finished.cluster, planned(2).plan).tracker.created
    finished("delete")
    before = len(finished.cluster.calls)
    (kept,) = json.loads(finished("list", "--local", "-o", "json"))["runs"]
    assert kept == {
        "name": RUN_ID,
        "run": RUN_ID,
        "namespace": "load",
        "tracker": "mrunners",
        "server": LOCATION.server,
        "created": created.isoformat().replace("+00:00", "Z"),
        "pods": 2,
        "reports": 2,
        "image": IMAGE,
    }
    head, row = finished("list", "--local", "-o", "wide").splitlines()
    assert head.split() == ["RUN", "NAMESPACE", "NAME", "REPORTS", "AGE", "SERVER", "IMAGE"]
    assert (row.split()[0], row.split()[-1]) == (RUN_ID, IMAGE)
    again = finished("result", "--run", RUN_ID[:8])
    unasked = {"requestsByUs": None, "trafficByUs": None}
    assert json.loads(again) | unasked == json.loads(report) | unasked
    assert json.loads(again)["provenance"]["serverVersion"] == "v1.37.2"
    assert finished.cluster.calls[before:] == []


def test_each_night_of_a_run_key_has_a_name_of_its_own(finished: Terminal) -> None:
    first = json.loads(finished("result"))
    finished("delete")
    finished.clock.seconds += 86400
    deploy(finished.cluster, planned(2))
    finish(finished.cluster, planned(2).plan)
    finished.cluster.logs["mrunners-0-1-abcde"] = b"cut"
    finished("result", code=ExitCode.INCOMPLETE)
    newest, older = finished("list", "--local", "-o", "name").split()
    assert newest != older
    assert newest.startswith(f"{RUN_ID}.")
    again = json.loads(finished("result", "--run", older))
    assert (again["runners"], again["coverage"]) == (first["runners"], first["coverage"])
    newer = json.loads(finished("result", "--run", newest, code=ExitCode.INCOMPLETE))
    assert newer["coverage"]["merged"] == 1


def test_a_report_that_was_incomplete_stays_so(mrunners: Terminal) -> None:
    deploy(mrunners.cluster, planned(2))
    finish(mrunners.cluster, planned(2).plan)
    mrunners.cluster.logs["mrunners-0-1-abcde"] = b"cut"
    first = json.loads(mrunners("result", code=ExitCode.INCOMPLETE))
    again = json.loads(mrunners("result", "--run", RUN_ID, code=ExitCode.INCOMPLETE))
    assert again["coverage"] == first["coverage"]


def test_of_a_run_that_goes_on_the_rest_is_in_the_cluster(running: Terminal) -> None:
    log = log_of(planned(2).plan, "mrunners-0", 1)
    running.cluster.end_pod("mrunners-0", 1, log=log)
    running("result", "--partial", code=ExitCode.STILL_RUNNING)
    report = json.loads(running("result", "--run", RUN_ID, code=ExitCode.INCOMPLETE))
    (missing,) = report["coverage"]["missing"]
    assert (missing["reason"], missing["detail"]) == (
        "not-kept",
        f"{LOCATION.server} was not asked",
    )
    assert running.err.splitlines()[-1] == (
        "  get its report with: mrunners result load --tracker mrunners"
    )


def test_a_run_that_is_not_kept_is_said_to_be_unknown(mrunners: Terminal) -> None:
    mrunners("result", "--run", "1234", code=ExitCode.INVALID)
    assert mrunners.err == "error: no reports of a run '1234' are kept on this machine\n"
    assert mrunners("list", "--local") == ""
    assert mrunners.err == "no reports of runs are kept on this machine\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_that_asks_the_command(shell: str, mrunners: Terminal) -> None:
    script = mrunners("completion", shell)
    assert f"_MRUNNERS_COMPLETE={shell}_complete" in script


def test_a_shell_completes_commands_options_and_formats() -> None:
    def completed(words: str) -> list[str]:
        environ = {
            "_MRUNNERS_COMPLETE": "bash_complete",
            "COMP_WORDS": f"mrunners {words}",
            "COMP_CWORD": str(words.count(" ") + 1),
        }
        done = subprocess.run(
            [sys.executable, "-c", MAIN],
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert completed("li") == ["list"]
    assert "status" in completed("stauts ")  # a command that does not exist is no error yet
    assert completed("result --output-f") == ["--output-file"]
    assert completed("list -o y") == ["yaml"]


@pytest.mark.parametrize(
    ("args", "meant"),
    [(["stauts"], "did you mean 'status'?"), (["wait", "--trackr", "x"], "--tracker")],
    ids=str,
)
def test_a_misspelling_is_one_error_with_what_was_meant(
    args: list[str], meant: str, mrunners: Terminal
) -> None:
    mrunners(*args, code=ExitCode.INVALID)
    first, second = mrunners.err.splitlines()
    assert first.startswith("error: ")
    assert meant in first
    assert second.startswith("  see: mrunners")


def test_every_row_of_the_docs_names_a_test_of_these() -> None:
    rows = [line for line in DOCS.read_text("utf-8").splitlines() if line.startswith("| ")][1:]
    tests = re.findall(r"<!-- (\w+) -->", DOCS.read_text("utf-8"))
    assert len(rows) == len(tests)
    assert [name for name in tests if name not in globals()] == []
