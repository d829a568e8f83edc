"""What was seen of pods outlives them, and a damaged note says nothing."""

from pathlib import Path

import pytest

from mrunners.run.seen_pods import SeenPods
from tests.fakes import START
from tests.unit.status.test_diagnostics import pod


def test_a_pod_that_was_seen_on_a_node_is_known_to_later_commands(tmp_path: Path) -> None:
    SeenPods(tmp_path).add([pod(0), pod(1, node=None)])
    SeenPods(tmp_path).add([pod(0, started=START, phase="Running"), pod(2)])
    later = SeenPods(tmp_path)
    assert later.get("uid-0", 0) == pod(0, started=START, phase="Unknown")
    assert later.get("uid-0", 1) is None
    assert later.get("uid-0", 2) == pod(2, phase="Unknown")
    assert later.get("uid-1", 0) is None


@pytest.mark.parametrize("text", ["", "3", "{", '{"x": 1}', '{"0": {}}'])
def test_a_damaged_note_says_nothing_and_is_written_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / "uid-0").mkdir()
    (tmp_path / "uid-0" / "pods.json").write_text(text)
    assert SeenPods(tmp_path).get("uid-0", 0) is None
    SeenPods(tmp_path).add([pod(0)])
    assert SeenPods(tmp_path).get("uid-0", 0) == pod(0, phase="Unknown")


def test_what_did_not_change_is_not_written_again(tmp_path: Path) -> None:
    seen = SeenPods(tmp_path)
    seen.add([pod(0)])
    (tmp_path / "uid-0" / "pods.json").unlink()
    seen.add([pod(0, phase="Running")])
    assert not (tmp_path / "uid-0" / "pods.json").exists()
