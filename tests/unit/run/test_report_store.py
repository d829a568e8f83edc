"""A stored report comes back as it was stored, or not at all."""

import gzip
import os
import random
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.run.report_store import (
    PodFacts,
    ReportAddress,
    ReportStore,
    StoredRun,
    default_store_path,
)
from mrunners.run.store_files import StoreFiles
from tests.fakes import START

SHA256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"  # of b"x"


RUN = StoredRun("run", "tracker-uid")
FOLDER = Path("run.tracker-uid", "job-0")


def at(index: int = 0, job: str = "job-0", run: StoredRun = RUN) -> ReportAddress:
    return ReportAddress.of(run, job, index)


def put(
    store: ReportStore, raw: bytes, address: ReportAddress | None = None, exit_code: int = 0
) -> PodFacts:
    return store.put(
        address or at(),
        raw,
        pod="p",
        node="n",
        started_at=START,
        finished_at=None,
        exit_code=exit_code,
    )


@given(raw=st.binary(max_size=2000), index=st.integers(0, 9999))
def test_a_report_comes_back_as_it_was_stored(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes, index: int
) -> None:
    store = ReportStore(tmp_path_factory.getbasetemp() / "store")
    facts = put(store, raw, at(index))
    assert store.get(at(index)) == (raw, facts)


def test_the_facts_about_the_pod_are_stored_beside_the_report(tmp_path: Path) -> None:
    assert put(ReportStore(tmp_path), b"x") == PodFacts(
        pod="p",
        node="n",
        started_at=START,
        finished_at=None,
        exit_code=0,
        sha256=SHA256,
        address=at(),
    )


def test_what_is_packed_already_is_stored_as_it_is(tmp_path: Path) -> None:
    packed = gzip.compress(b"x", compresslevel=1)
    facts = ReportStore(tmp_path).put(
        at(),
        b"x",
        packed=packed,
        pod="p",
        node="n",
        started_at=None,
        finished_at=None,
        exit_code=0,
    )
    (path,) = tmp_path.rglob("*.report.json.gz")
    assert path.read_bytes() == packed
    assert ReportStore(tmp_path).get(at()) == (b"x", facts)


def test_another_process_reads_what_was_stored(tmp_path: Path) -> None:
    facts = put(ReportStore(tmp_path / "new" / "folder"), b"x")
    other = ReportStore(tmp_path / "new" / "folder")
    assert (other.has(at()), other.get(at())) == (True, (b"x", facts))


def test_a_report_that_was_never_stored_is_missing(tmp_path: Path) -> None:
    store = ReportStore(tmp_path)
    put(store, b"x")
    others = [at(1), at(job="job-1"), at(run=StoredRun("run", "next night's tracker"))]
    assert [store.get(other) for other in others] == [None, None, None]
    assert not store.has(at(1))


def test_an_entry_of_an_earlier_release_is_found_by_the_uid_of_the_job(tmp_path: Path) -> None:
    store = ReportStore(tmp_path)
    facts = put(store, b"x").model_copy(update={"address": None})
    (tmp_path / FOLDER).rename(tmp_path / "job-uid")
    old = facts.model_dump_json(exclude={"address"})
    (tmp_path / "job-uid" / "0.json").write_text(old)
    assert (store.has(at()), store.get(at())) == (False, None)
    assert store.has(at(), job_uid="job-uid")
    assert store.get(at(), job_uid="job-uid") == (b"x", facts)
    assert store.get(at(), job_uid="another") is None


@pytest.mark.parametrize("other", [Path("run.tracker-uid", "job-1"), Path("run.other", "job-0")])
def test_an_entry_that_was_moved_to_another_address_is_not_believed(
    tmp_path: Path, other: Path
) -> None:
    store = ReportStore(tmp_path)
    put(store, b"x")
    (tmp_path / other).parent.mkdir(exist_ok=True)
    (tmp_path / FOLDER).rename(tmp_path / other)
    assert store.get(at(job="job-1")) is None
    assert store.get(at(run=StoredRun("run", "other"))) is None


def test_jobs_that_were_created_are_known_from_a_note_or_a_report(tmp_path: Path) -> None:
    store = ReportStore(tmp_path)
    assert store.created_jobs(RUN) == frozenset()
    store.note_created(RUN, "job-0")
    store.note_created(RUN, "job-0")
    put(store, b"x", at(job="job-1"))
    put(store, b"x", at(job="job-2", run=StoredRun("run", "next night's tracker")))
    assert ReportStore(tmp_path).created_jobs(RUN) == {"job-0", "job-1"}


def test_the_pods_of_a_job_that_succeeded_are_counted_by_their_reports(tmp_path: Path) -> None:
    store = ReportStore(tmp_path)
    store.note_created(RUN, "job-0")
    assert (store.succeeded_pods(RUN, "job-0"), store.succeeded_pods(RUN, "job-1")) == (0, 0)
    put(store, b"x", at(0))
    put(store, b"x", at(1), exit_code=1)
    put(store, b"x", at(2))
    put(store, b"x", at(3))
    put(store, b"x", at(4))
    (tmp_path / FOLDER / "2.json").write_text("{")
    (tmp_path / FOLDER / "3.report.json.gz").write_bytes(b"")
    (tmp_path / FOLDER / "4.report.json.gz").unlink()
    assert store.succeeded_pods(RUN, "job-0") == 1
    assert store.succeeded_pods(RUN, "job-0") == 1
    (tmp_path / FOLDER / "0.report.json.gz").unlink()
    assert store.succeeded_pods(RUN, "job-0") == 0


def test_a_second_report_replaces_the_first_one_completely(tmp_path: Path) -> None:
    store = ReportStore(tmp_path)
    put(store, b"first")
    facts = put(store, b"second")
    assert store.get(at()) == (b"second", facts)
    assert sorted(path.name for path in (tmp_path / FOLDER).iterdir()) == [
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
    path = tmp_path / FOLDER / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    assert (store.has(at()), store.get(at())) == (False, None)
    put(store, b"x" * 1000)
    assert store.has(at())


@given(position=st.integers(0, 10**6), byte=st.integers(1, 255))
def test_a_changed_byte_never_yields_another_report(
    tmp_path_factory: pytest.TempPathFactory, position: int, byte: int
) -> None:
    root = tmp_path_factory.getbasetemp() / "damaged"
    store, raw = ReportStore(root), b'{"total": 1}' * 20
    facts = put(store, raw)
    path = root / FOLDER / "0.report.json.gz"
    content = bytearray(path.read_bytes())
    content[position % len(content)] ^= byte
    path.write_bytes(content)
    assert store.get(at()) in (None, (raw, facts))


def test_reports_are_readable_only_by_their_owner(tmp_path: Path) -> None:
    put(ReportStore(tmp_path), b"x")
    modes = {path.stat().st_mode & 0o077 for path in (tmp_path / FOLDER).iterdir()}
    assert modes == {0}


def in_a_file(folder: Path) -> Path:
    (folder / "file").touch()
    return folder / "file" / "reports"


def in_a_read_only_file_system(folder: Path) -> Path:
    return Path("/proc/nope")


def in_a_loop_of_links(folder: Path) -> Path:
    (folder / "loop").symlink_to("loop")
    return folder / "loop" / "reports"


def under_a_name_that_is_too_long(folder: Path) -> Path:
    return folder / ("x" * 300)


@pytest.mark.parametrize(
    "place",
    [in_a_file, in_a_read_only_file_system, in_a_loop_of_links, under_a_name_that_is_too_long],
)
def test_what_cannot_be_written_lasts_as_long_as_the_process_and_is_told_once(
    tmp_path: Path, place: Callable[[Path], Path]
) -> None:
    warnings = list[str]()
    root = place(tmp_path)
    store = ReportStore(root, warnings.append)
    assert (store.has(at(0)), store.get(at(0))) == (False, None)
    facts = [put(store, raw, at(index)) for index, raw in enumerate((b"x", b"y"))]
    assert [store.get(at(index)) for index in range(2)] == [(b"x", facts[0]), (b"y", facts[1])]
    assert store.has(at(0))
    assert len(warnings) == 1
    assert warnings[0].startswith(
        f"reports cannot be kept on disk, and are in memory until this command ends: {root}: "
    )
    assert ReportStore(root, warnings.append).get(at(0)) is None


def limit_file_sizes(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def test_a_full_disk_costs_no_report_and_leaves_no_part_of_one(tmp_path: Path) -> None:
    warnings = list[str]()
    store = ReportStore(tmp_path, warnings.append)
    raw = random.Random(1).randbytes(10_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    limit_file_sizes(5_000)
    try:
        facts = put(store, raw)
    finally:
        limit_file_sizes(before)
    assert store.get(at(0)) == (raw, facts)
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["0.json"]
    assert warnings == [
        "reports cannot be kept on disk, and are in memory until this command ends: "
        f"{tmp_path}: File too large"
    ]
    assert store.has(at(0))
    other = ReportStore(tmp_path)
    assert (other.has(at(0)), other.succeeded_pods(RUN, "job-0")) == (False, 0)
    put(store, raw)
    assert ReportStore(tmp_path).get(at(0)) == (raw, facts)


def test_a_report_that_fits_neither_on_disk_nor_into_memory_leaves_no_entry(
    tmp_path: Path,
) -> None:
    store = ReportStore(tmp_path, list[str]().append, max_memory_bytes=5_000)
    raw = random.Random(1).randbytes(10_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    limit_file_sizes(5_000)
    try:
        put(store, raw)
    finally:
        limit_file_sizes(before)
    assert (store.has(at(0)), store.succeeded_pods(RUN, "job-0")) == (False, 0)
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_no_more_is_kept_in_memory_than_fits(tmp_path: Path) -> None:
    files = StoreFiles(tmp_path, list[str]().append, max_memory_bytes=5)
    (tmp_path / "file").touch()
    kept, lost = tmp_path / "file" / "kept", tmp_path / "file" / "lost"
    assert files.write(kept, b"123")
    assert files.write(kept, b"1234")
    assert not files.write(lost, b"12")
    assert files.read(kept) == b"1234"
    assert [files.exists(kept), files.exists(lost)] == [True, False]


def test_a_folder_that_may_not_be_searched_holds_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    put(ReportStore(folder), b"x")
    warnings = list[str]()
    store = ReportStore(folder, warnings.append)
    folder.chmod(0)
    user = os.geteuid()
    if user == 0:  # who may search everything
        os.seteuid(65534)
    try:
        assert (store.has(at(0)), store.get(at(0))) == (False, None)
        put(store, b"y")
    finally:
        os.seteuid(user)
        folder.chmod(0o700)
    assert len(warnings) == 1


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


def test_a_user_without_a_home_has_a_store_in_memory_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_entry(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", no_entry)
    assert default_store_path() == Path("/nonexistent/.local/state/mrunners/reports")
