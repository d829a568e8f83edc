"""The table of faults in docs/reliability.md."""

from __future__ import annotations

from dev.fault_table import FILE, table, with_table
from tests.cluster.fault_rows import FaultRow, merged_rows

LOST_NODE = FaultRow("a node is lost", "kubelet", 1, 2, 1, {"pod-gone": 1})
KILLED = FaultRow("a command is killed", "process", 1, 3, 3, {})


def test_rows_of_one_fault_add_up() -> None:
    other = FaultRow("a node is lost", "kubelet", 2, 4, 2, {"pod-gone": 1, "failed": 1}, lost=1)
    assert merged_rows([LOST_NODE, KILLED, other]) == [
        FaultRow("a node is lost", "kubelet", 3, 6, 3, {"pod-gone": 2, "failed": 1}, lost=1),
        KILLED,
    ]


def test_a_row_has_every_figure() -> None:
    assert table([KILLED, LOST_NODE]).splitlines()[2:] == [
        "| a node is lost | kubelet | 1 | 2 | 1 | 1 `pod-gone` | 0 | 0 | 0 |",
        "| a command is killed | process | 1 | 3 | 3 |  | 0 | 0 | 0 |",
    ]


def test_the_table_replaces_the_one_of_the_page() -> None:
    page = with_table(FILE.read_text(), [KILLED])
    assert "| a command is killed | process |" in page
    assert with_table(page, [LOST_NODE]).count("| a command is killed |") == 0
    assert page.endswith(FILE.read_text().partition("<!-- end of faults -->\n")[2])


def test_every_row_of_the_page_is_without_a_flaw() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in FILE.read_text().splitlines()
        if line.startswith("| ") and line.count("|") == 10 and not line.startswith("| fault")
    ]
    assert rows
    for fault, _hosts, _runs, expected, fetched, missing, *flaws in rows:
        assert flaws == ["0", "0", "0"], fault
        reasons = sum(int(word.split()[0]) for word in missing.split(", ") if word)
        assert int(fetched) + reasons == int(expected), fault
