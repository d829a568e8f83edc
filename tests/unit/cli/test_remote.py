import itertools
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Cancelled, Completed, Crashed, Failed, Running

from mrunners.errors import ExitCode, FieldProblem, InvalidOptionsError
from mrunners_cli import follow, remote
from mrunners_cli.commands.run import run
from mrunners_cli.flags import typed_parameters
from tests.fakes import RecordingObserver
from tests.unit.env import IMAGE, options, uris

NIGHTLY: dict[str, Any] = {
    "options": {
        "namespace": "load",
        "runner_image": IMAGE,
        "runners": list(uris(4)),
        "timeout": "2h",
        "advanced": {"tracker": "nightly", "spread": "require"},
    },
    "policy": {"cleanup": "delete"},
}


class Server:
    """A Prefect server's client that returns one flow run's states, and whether its tracker exists.

    An exception instead of a state is raised.
    """

    def __init__(self, *answers: tuple[State[Any] | Exception, bool]) -> None:
        self._answers = iter(answers)
        self._state: State[Any] | None = None

    def read_task_runs(self, **_: object) -> list[SimpleNamespace]:
        state, has_tracker = next(self._answers)
        if isinstance(state, Exception):
            raise state
        self._state = state
        return [SimpleNamespace(state=Completed() if has_tracker else Running())]

    def read_flow_run(self, _: object) -> SimpleNamespace:
        return SimpleNamespace(state=self._state)

    def read_artifacts(self, **_: object) -> list[SimpleNamespace]:
        return [SimpleNamespace(description="1 of 2 pods ended")]


@pytest.fixture(autouse=True)
def no_real_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0)

    def sleep(seconds: float) -> None:
        clock.now += seconds

    monkeypatch.setattr(follow, "time", SimpleNamespace(monotonic=lambda: clock.now, sleep=sleep))


def followed(
    *answers: tuple[State[Any] | Exception, bool], wait: bool = True
) -> tuple[int, RecordingObserver]:
    """Follow a flow run of which the server gives these answers."""
    observer = RecordingObserver()
    flow_run = FlowRun(flow_id=uuid4())
    client: Any = Server(*answers)
    console: Any = observer
    return follow.follow(client, flow_run, options(), console, wait=wait), observer


def sent(*args: str) -> dict[str, Any]:
    """What the command line sends to the deployment for these arguments."""
    # Click keeps the help option that it makes first, for all later tests.
    names = ["-h", "--help"]
    context = run.make_context("run", ["-n", "load", *args], help_option_names=names)
    params = context.params
    chosen = options(
        **{n: params[n] for n in ("runners", "timeout", "wait", "fail_on", "tracker", "context")}
    )
    return remote._given_values(chosen, typed_parameters(context))


def deployment(parameters: dict[str, Any]) -> Any:
    schema: dict[str, Any] = {"properties": {"options": {}, "policy": {}}}
    return SimpleNamespace(name="nightly", parameters=parameters, parameter_openapi_schema=schema)


def test_only_options_that_are_given_are_sent() -> None:
    assert sent() == {"namespace": "load"}
    assert sent("--context", "prod") == {"namespace": "load", "context": "prod"}
    assert sent("--wait", "--timeout", "1h", "--tracker", "x", "--resume") == {
        "namespace": "load",
        "wait": True,
        "timeout": "1h",
        "advanced": {"tracker": "x", "if_exists": "refuse"},
    }


def test_options_that_are_not_given_are_the_deployments() -> None:
    over = {"timeout": "1h", "advanced": {"tracker": "now"}}
    parameters, whole = remote._parameters(deployment(NIGHTLY), over)
    assert parameters == {
        "options": {
            **NIGHTLY["options"],
            "timeout": "1h",
            "advanced": {"tracker": "now", "spread": "require"},
        },
        "policy": {"cleanup": "delete"},
    }
    assert (whole.advanced.tracker, whole.runners) == ("now", uris(4))


def test_options_that_nobody_gives_are_reported_before_a_flow_run_is_created() -> None:
    with pytest.raises(InvalidOptionsError) as caught:
        remote._parameters(deployment({}), {"namespace": "load", "runner_image": IMAGE})
    message = "give at least one runner URI (only resuming a run needs none)"
    assert caught.value.fields == (FieldProblem("runners", message),)


def test_the_tracker_is_printed_once_its_step_has_completed() -> None:
    code, observer = followed((Running(), False), (Running(), True), wait=False)
    assert (code, observer.trackers) == (ExitCode.DONE, ["mrunners"])


def test_a_run_that_timed_out_while_it_waited_for_an_earlier_one_has_no_tracker() -> None:
    timed_out: State[Any] = Failed(name="TimedOut", message="late")
    code, observer = followed((Running(), False), *[(timed_out, False)] * 20)
    assert (code, observer.trackers) == (ExitCode.TIMEOUT, [])


def test_a_tracker_that_is_recorded_after_the_end_is_still_printed() -> None:
    timed_out: State[Any] = Failed(name="TimedOut", message="late")
    code, observer = followed((timed_out, False), (timed_out, True))
    assert (code, observer.trackers) == (ExitCode.TIMEOUT, ["mrunners"])


def test_an_outage_is_reported_once_and_so_is_its_end() -> None:
    outage = (httpx.ConnectError("refused"), False)
    code, observer = followed(outage, outage, outage, (Completed(), True))
    assert code == ExitCode.DONE
    assert observer.warnings == [
        "the Prefect server does not answer (refused); retrying",
        "the Prefect server answers again",
    ]


def test_a_run_that_exceeds_the_deployments_limit_is_refused_and_not_interrupted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _ = followed((Cancelled(message="Deployment concurrency limit reached."), False))
    assert code == ExitCode.REFUSED
    assert (
        "the deployment already has as many flow runs as its concurrency limit allows"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("state", "code"), [(Cancelled(), ExitCode.INTERRUPTED), (Crashed(), ExitCode.INTERNAL_ERROR)]
)
def test_how_to_resume_a_cancelled_or_crashed_run_is_printed(
    state: State[Any], code: ExitCode
) -> None:
    ended, observer = followed((Running(), True), (state, True))
    assert ended == code
    assert observer.infos[-1] == (
        "what it deployed continues, unless its policy deletes it; "
        "resume it with: mrunners run --namespace load --tracker mrunners --resume; "
        "delete it with: mrunners delete load --tracker mrunners --force"
    )


def test_progress_is_printed_when_it_changes_and_once_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is left alone is no change; the server is asked every 2 s."""
    count = itertools.count(200, -2)

    def progress(*_: object) -> str:
        left = next(count)
        return f"{0 if left > 60 else 1} of 2 pods ended, about {left}s left"

    monkeypatch.setattr(follow, "_progress", progress)
    _, observer = followed(*[(Running(), True)] * 80, (Completed(), True))
    assert [line for line in observer.infos if "pods ended" in line] == [
        "0 of 2 pods ended, about 200s left",
        "0 of 2 pods ended, about 140s left",
        "0 of 2 pods ended, about 80s left",
        "1 of 2 pods ended, about 60s left",
    ]


def test_a_user_who_stops_following_reads_that_the_flow_run_continues(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    observer = RecordingObserver()
    flow_run = FlowRun(flow_id=uuid4())
    client: Any = Server((Running(), True))
    console: Any = observer

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(follow, "time", SimpleNamespace(monotonic=lambda: 0.0, sleep=interrupt))
    with pytest.raises(KeyboardInterrupt):
        follow.follow(client, flow_run, options(), console, wait=True)
    assert observer.infos[-1].endswith(f"cancel it with: prefect flow-run cancel {flow_run.id}")


def test_a_run_in_doubt_ends_with_9_its_tracker_and_what_was_found(
    capsys: pytest.CaptureFixture[str],
) -> None:
    message = (
        "2 of 2 reports merged; the figures are in doubt\n"
        "error: 532 of 600 requests failed\n"
        "  grant them\n"
        "resume it with: mrunners run"
    )
    state: State[Any] = Failed(name="InDoubt", message=message)
    code, observer = followed((state, False))
    assert (code, observer.trackers) == (ExitCode.IN_DOUBT, ["mrunners"])
    assert capsys.readouterr().err == (
        "error: 2 of 2 reports merged; the figures are in doubt\n"
        "error: 532 of 600 requests failed\n"
        "  grant them\n"
        "  resume it with: mrunners run\n"
    )


def test_the_warnings_of_a_run_that_completed_are_printed_and_then_its_verdict(
    capsys: pytest.CaptureFixture[str],
) -> None:
    message = "2 of 2 reports merged\nwarning: slow\n  look at it"
    code, observer = followed((Completed(message=message), True))
    assert code == ExitCode.DONE
    assert "2 of 2 reports merged" in observer.infos
    assert capsys.readouterr().err == "warning: slow\n  look at it\n"


def test_fail_on_is_sent_like_any_other_option() -> None:
    assert sent("--wait", "--fail-on", "never") == {
        "namespace": "load",
        "wait": True,
        "fail_on": "never",
    }


def test_what_a_variable_sets_is_not_sent_nor_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    triggered: list[object] = []

    def follow_run(*_: object, wait: bool) -> int:
        triggered.append(wait)
        return ExitCode.DONE

    def run_deployment(_id: object, *, parameters: object, **_: object) -> SimpleNamespace:
        triggered.append(parameters)
        return SimpleNamespace(id="x")

    found = deployment(NIGHTLY)
    found.id = uuid4()
    server = SimpleNamespace(api=SimpleNamespace(url="http://127.0.0.1:4200/api"))
    monkeypatch.setattr(remote, "get_current_settings", lambda: server)
    monkeypatch.setattr(remote, "get_client", lambda **_: nullcontext())
    monkeypatch.setattr(remote, "_deployment", lambda *_: found)
    monkeypatch.setattr(remote, "run_deployment", run_deployment)
    monkeypatch.setattr(remote, "url_for", lambda _: None)
    monkeypatch.setattr(remote, "follow", follow_run)
    for name, value in {"WAIT": "true", "RUNNERS": "no URI", "RUNNER_IMAGE": "mine"}.items():
        monkeypatch.setenv(f"MRUNNERS_{name}", value)
    context = run.make_context("run", ["-n", "load"], help_option_names=["-h", "--help"])
    assert context.params["wait"]
    observer: Any = RecordingObserver()
    mine = options(wait=True, runners=context.params["runners"], runner_image="mine")
    remote.run_remotely("nightly", mine, typed_parameters(context), observer)
    assert triggered == [remote._parameters(found, {"namespace": "load"})[0], False]
