"""What was seen of pods outlives them, and a damaged note says nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mrunners.run.lost_pods import SeenPods
from mrunners.run.report_store import ReportStore, StoredRun
from tests.fakes import START
from tests.unit.status.test_diagnostics import FIRST, SECOND, pod

RUN = StoredRun("run", "tracker-uid")
FILE = Path("run.tracker-uid", FIRST, "pods.json")


@pytest.fixture
def seen(tmp_path: Path) -> Callable[[], SeenPods]:
    """Return what each command does anew on the same machine."""
    return lambda: ReportStore(tmp_path).seen_pods(RUN)


def test_a_pod_that_was_seen_on_a_node_is_known_to_later_commands(
    seen: Callable[[], SeenPods],
) -> None:
    seen().add(FIRST, [pod(0), pod(1, node=None)])
    seen().add(FIRST, [pod(0, started=START, phase="Running"), pod(2)])
    later = seen()
    assert later.get(FIRST, 0) == pod(0, started=START, phase="Unknown", job_name=FIRST)
    assert later.get(FIRST, 1) is None
    assert later.get(FIRST, 2) == pod(2, phase="Unknown", job_name=FIRST)
    assert later.get(SECOND, 0) is None


def test_the_pods_of_another_run_are_unknown(tmp_path: Path) -> None:
    ReportStore(tmp_path).seen_pods(RUN).add(FIRST, [pod(0)])
    other = StoredRun("run", "other-uid")
    assert ReportStore(tmp_path).seen_pods(other).get(FIRST, 0) is None


@pytest.mark.parametrize("text", ["", "3", "{", '{"x": 1}', '{"0": {}}'])
def test_a_damaged_note_says_nothing_and_is_written_anew(
    seen: Callable[[], SeenPods], tmp_path: Path, text: str
) -> None:
    (tmp_path / FILE).parent.mkdir(parents=True)
    (tmp_path / FILE).write_text(text)
    assert seen().get(FIRST, 0) is None
    seen().add(FIRST, [pod(0)])
    assert seen().get(FIRST, 0) == pod(0, phase="Unknown", job_name=FIRST)


def test_what_did_not_change_is_not_written_again(
    seen: Callable[[], SeenPods], tmp_path: Path
) -> None:
    once = seen()
    once.add(FIRST, [pod(0)])
    (tmp_path / FILE).unlink()
    once.add(FIRST, [pod(0, phase="Running")])
    assert not (tmp_path / FILE).exists()


def test_pods_are_remembered_until_the_command_ends_where_the_disk_refuses(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = ReportStore(tmp_path / "file" / "reports", lambda _: None)
    store.seen_pods(RUN).add(FIRST, [pod(0)])
    assert store.seen_pods(RUN).get(FIRST, 0) == pod(0, phase="Unknown", job_name=FIRST)
