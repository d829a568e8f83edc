from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Cancelled, Completed, Crashed, Failed, Running

from mrunners.errors import ExitCode, InvalidInputError
from mrunners_cli import follow as following
from mrunners_cli import remote
from mrunners_cli.commands.run import _given, run
from tests.fakes import RecordingObserver
from tests.unit.env import IMAGE, options, uris

NIGHT: dict[str, Any] = {
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
    """A Prefect server's client that tells one flow run's states, and whether its tracker stands.

    An exception in the place of a state is raised.
    """

    def __init__(self, *seen: tuple[State[Any] | Exception, bool]) -> None:
        self._seen = iter(seen)
        self._state: State[Any] | None = None

    def read_task_runs(self, **_: object) -> list[SimpleNamespace]:
        state, stands = next(self._seen)
        if isinstance(state, Exception):
            raise state
        self._state = state
        return [SimpleNamespace(state=Completed() if stands else Running())]

    def read_flow_run(self, _: object) -> SimpleNamespace:
        return SimpleNamespace(state=self._state)

    def read_artifacts(self, **_: object) -> list[SimpleNamespace]:
        return [SimpleNamespace(description="1 of 2 pods ended")]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0)

    def sleep(seconds: float) -> None:
        clock.now += seconds

    monkeypatch.setattr(
        following, "time", SimpleNamespace(monotonic=lambda: clock.now, sleep=sleep)
    )


def follow(
    *seen: tuple[State[Any] | Exception, bool], wait: bool = True
) -> tuple[int, RecordingObserver]:
    observer = RecordingObserver()
    flow_run = FlowRun(flow_id=uuid4())
    client: Any = Server(*seen)
    console: Any = observer
    return following.follow(client, flow_run, options(), console, wait=wait), observer


def given(*words: str) -> dict[str, Any]:
    """What the command line sends of these words."""
    # Click keeps the help option that it makes first, for all later tests.
    names = ["-h", "--help"]
    context = run.make_context("run", ["-n", "load", *words], help_option_names=names)
    params = context.params
    asked = options(**{n: params[n] for n in ("runners", "timeout", "wait", "tracker")})
    return remote._options_given(asked, _given(context))


def deployment(parameters: dict[str, Any]) -> Any:
    schema: dict[str, Any] = {"properties": {"options": {}, "policy": {}}}
    return SimpleNamespace(name="nightly", parameters=parameters, parameter_openapi_schema=schema)


def test_only_what_stands_on_the_command_line_is_sent() -> None:
    assert given() == {"namespace": "load"}
    assert given("--wait", "--timeout", "1h", "--tracker", "x", "--resume") == {
        "namespace": "load",
        "wait": True,
        "timeout": "1h",
        "advanced": {"tracker": "x", "if_exists": "refuse"},
    }


def test_what_is_not_given_is_the_deployments() -> None:
    over = {"timeout": "1h", "advanced": {"tracker": "now"}}
    parameters, asked = remote._parameters(deployment(NIGHT), over)
    assert parameters == {
        "options": {
            **NIGHT["options"],
            "timeout": "1h",
            "advanced": {"tracker": "now", "spread": "require"},
        },
        "policy": {"cleanup": "delete"},
    }
    assert (asked.advanced.tracker, asked.runners) == ("now", uris(4))


def test_what_neither_of_them_gives_is_told_before_a_flow_run_is_created() -> None:
    with pytest.raises(InvalidInputError, match="--runners: give at least one"):
        remote._parameters(deployment({}), {"namespace": "load"})


def test_the_tracker_is_told_once_its_step_is_done() -> None:
    code, observer = follow((Running(), False), (Running(), True), wait=False)
    assert (code, observer.trackers) == (ExitCode.DONE, ["mrunners"])


def test_a_run_that_timed_out_over_a_leftover_has_no_tracker() -> None:
    timed_out: State[Any] = Failed(name="TimedOut", message="late")
    code, observer = follow((Running(), False), *[(timed_out, False)] * 20)
    assert (code, observer.trackers) == (ExitCode.TIMEOUT, [])


def test_a_tracker_that_is_recorded_after_the_end_is_still_told() -> None:
    timed_out: State[Any] = Failed(name="TimedOut", message="late")
    code, observer = follow((timed_out, False), (timed_out, True))
    assert (code, observer.trackers) == (ExitCode.TIMEOUT, ["mrunners"])


def test_an_outage_is_told_once_and_so_is_its_end() -> None:
    away = (httpx.ConnectError("refused"), False)
    code, observer = follow(away, away, away, (Completed(), True))
    assert code == ExitCode.DONE
    assert observer.warnings == [
        "the Prefect server does not answer (refused); trying again",
        "the Prefect server answers again",
    ]


def test_a_run_that_the_deployments_limit_dropped_is_refused_and_not_interrupted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _ = follow((Cancelled(message="Deployment concurrency limit reached."), False))
    assert code == ExitCode.REFUSED
    assert "as many runs of this deployment as may are under way" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("state", "code"), [(Cancelled(), ExitCode.INTERRUPTED), (Crashed(), ExitCode.INTERNAL_ERROR)]
)
def test_what_a_cancelled_or_crashed_run_had_deployed_is_told(
    state: State[Any], code: ExitCode
) -> None:
    ended, observer = follow((Running(), True), (state, True))
    assert ended == code
    assert (
        "resume it with: mrunners run --namespace load --tracker mrunners --resume"
        in (observer.infos[-1])
    )


def test_progress_is_told_when_it_changes() -> None:
    _, observer = follow((Running(), True), (Running(), True), (Completed(), True))
    assert observer.infos.count("1 of 2 pods ended") == 1


def test_who_stops_following_is_told_that_the_flow_run_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    observer = RecordingObserver()
    flow_run = FlowRun(flow_id=uuid4())
    client: Any = Server((Running(), True))
    console: Any = observer

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(following, "time", SimpleNamespace(monotonic=lambda: 0.0, sleep=interrupt))
    with pytest.raises(KeyboardInterrupt):
        following.follow(client, flow_run, options(), console, wait=True)
    assert observer.infos[-1].endswith(f"end it with: prefect flow-run cancel {flow_run.id}")
