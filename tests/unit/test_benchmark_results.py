"""The rows of benchmarks: what meets its target, and the table of docs/benchmarks.md."""

from __future__ import annotations

import importlib
import sys

import pytest

from benchmarks.__main__ import DOCUMENT, QUESTIONS
from benchmarks.measuring import in_turn, run_process, spread
from benchmarks.results import Target, as_json, insert_table, row, table


@pytest.mark.parametrize(
    ("ours", "theirs", "target", "met"),
    [
        ([2.0], [12.0], Target(6.0), True),
        ([2.0], [11.9], Target(6.0), False),
        ([2.0], [], Target(2.0, "ours", "<="), True),
        ([2.1], [], Target(2.0, "ours", "<="), False),
        ([2.0], [1.0], None, None),
        ([0.0], [1.0], Target(1.0), False),
    ],
)
def test_a_target_is_met_by_the_medians(
    ours: list[float], theirs: list[float], target: Target | None, met: bool | None
) -> None:
    assert row("question", "s", ours, "peer", theirs, target).met is met


def test_a_row_has_medians_bounds_and_ratio() -> None:
    one = row("create", "s", [2.0, 1.0, 4.0], "kubectl", [10.0, 12.0, 8.0], Target(6.0), "note")
    assert (one.ours.median, one.ours.lowest, one.ours.highest) == (2.0, 1.0, 4.0)
    assert one.ratio == 5.0
    assert table([one]).splitlines()[2] == (
        "| create (note) | s | 2 (1 to 4) | kubectl | 10 (8 to 12) | 5.00 | at least 6 times | no |"
    )
    (document,) = as_json([one])
    assert document["theirs"] == {"median": 10.0, "lowest": 8.0, "highest": 12.0}
    assert (document["ratio"], document["target"], document["met"]) == (
        5.0,
        "at least 6 times",
        False,
    )


def test_the_table_replaces_the_one_in_the_document_and_nothing_else() -> None:
    document = "# A\n<!-- results -->\nold\n<!-- end of results -->\n# B\n"
    changed = insert_table(document, "new\n")
    assert changed == "# A\n<!-- results -->\nnew\n<!-- end of results -->\n# B\n"
    with pytest.raises(ValueError, match="no <!-- results -->"):
        insert_table("# A\n", "new\n")


def test_the_document_has_a_place_for_the_table() -> None:
    assert "| new |" in insert_table(DOCUMENT.read_text("utf-8"), "| new |\n")


def test_ways_run_in_turn() -> None:
    order: list[str] = []
    results = in_turn({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 2)
    assert order == ["a", "b", "a", "b"]
    assert results == {"a": [None, None], "b": [None, None]}


def test_a_process_is_measured_by_itself() -> None:
    script = "import sys; b = bytearray(50_000_000); b[::4096] = b'x' * len(b[::4096]); print(1)"
    usage = run_process([sys.executable, "-c", script])
    assert usage.output == b"1\n"
    assert usage.peak_bytes > 50_000_000
    assert usage.cpu_seconds > 0
    with pytest.raises(RuntimeError, match=r"exit 3\noops"):
        run_process([sys.executable, "-c", "import sys; sys.stderr.write('oops'); sys.exit(3)"])


def test_each_question_has_a_module_that_measures_it() -> None:
    for name in QUESTIONS:
        assert callable(importlib.import_module(f"benchmarks.{name}").measure)


def test_no_values_have_no_spread() -> None:
    with pytest.raises(ValueError, match="no median"):
        spread([])
