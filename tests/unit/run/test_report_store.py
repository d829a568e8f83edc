"""A stored report comes back as it was stored, or not at all."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.run.report_store import PodFacts, ReportStore, default_store_path
from tests.fakes import START

SHA256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"  # of b"x"


def put(store: ReportStore, raw: bytes, index: int = 0) -> PodFacts:
    return store.put(
        "uid", index, raw, pod="p", node="n", started_at=START, finished_at=None, exit_code=0
    )


@given(raw=st.binary(max_size=2000), index=st.integers(0, 9999))
def test_a_report_comes_back_as_it_was_stored(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes, index: int
) -> None:
    store = ReportStore(tmp_path_factory.getbasetemp() / "store")
    facts = put(store, raw, index)
    assert store.get("uid", index) == (raw, facts)


def test_the_facts_about_the_pod_are_stored_beside_the_report(tmp_path: Path) -> None:
    assert put(ReportStore(tmp_path), b"x") == PodFacts(
        pod="p", node="n", started_at=START, finished_at=None, exit_code=0, sha256=SHA256
    )


def test_another_process_reads_what_was_stored(tmp_path: Path) -> None:
    facts = put(ReportStore(tmp_path / "new" / "folder"), b"x")
    other = ReportStore(tmp_path / "new" / "folder")
    assert (other.has("uid", 0), other.get("uid", 0)) == (True, (b"x", facts))


def test_a_report_that_was_never_stored_is_missing(tmp_path: Path) -> None:
    store = ReportStore(tmp_path)
    put(store, b"x")
    assert [store.get("uid", 1), store.get("other", 0)] == [None, None]
    assert not store.has("uid", 1)


def test_a_second_report_replaces_the_first_one_completely(tmp_path: Path) -> None:
    store = ReportStore(tmp_path)
    put(store, b"first")
    facts = put(store, b"second")
    assert store.get("uid", 0) == (b"second", facts)
    assert sorted(path.name for path in (tmp_path / "uid").iterdir()) == [
        "0.json",
        "0.report.json.gz",
    ]


@pytest.mark.parametrize("name", ["0.json", "0.report.json.gz"])
@pytest.mark.parametrize("content", [b"", b"{}", b"\x1f\x8b\x08", b"[" * 100_000, None])
def test_a_damaged_entry_counts_as_missing(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    store = ReportStore(tmp_path)
    put(store, b"x" * 1000)
    path = tmp_path / "uid" / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    assert store.get("uid", 0) is None


@given(position=st.integers(0, 10**6), byte=st.integers(1, 255))
def test_a_changed_byte_never_yields_another_report(
    tmp_path_factory: pytest.TempPathFactory, position: int, byte: int
) -> None:
    root = tmp_path_factory.getbasetemp() / "damaged"
    store, raw = ReportStore(root), b'{"total": 1}' * 20
    facts = put(store, raw)
    path = root / "uid" / "0.report.json.gz"
    content = bytearray(path.read_bytes())
    content[position % len(content)] ^= byte
    path.write_bytes(content)
    assert store.get("uid", 0) in (None, (raw, facts))


def test_reports_are_readable_only_by_their_owner(tmp_path: Path) -> None:
    put(ReportStore(tmp_path), b"x")
    modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "uid").iterdir()}
    assert modes == {0}


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory"):
        put(ReportStore(tmp_path / "file"), b"x")


@pytest.mark.parametrize(
    ("state", "path"),
    [("/state", "/state/mrunners/reports"), ("", "/home/me/.local/state/mrunners/reports")],
)
def test_the_store_is_in_the_users_state_folder(
    monkeypatch: pytest.MonkeyPatch, state: str, path: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", state)
    monkeypatch.setenv("HOME", "/home/me")
    assert default_store_path() == Path(path)
