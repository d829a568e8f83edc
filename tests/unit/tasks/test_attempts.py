from pathlib import Path

import pytest
from prefect import runtime
from prefect.exceptions import ObjectNotFound
from prefect.filesystems import LocalFileSystem
from prefect.results import ResultStore

from mrunners_tasks import _attempts
from mrunners_tasks._attempts import load_attempt, save_attempt


class Root:
    """Prefect's runtime in flow runs that are part of the one with this ID."""

    def __init__(self, root: str | None) -> None:
        self._root = root

    @property
    def root_flow_run_id(self) -> str:
        if self._root is None:
            raise ObjectNotFound(KeyError("its parent"))
        return self._root


@pytest.fixture(autouse=True)
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ResultStore(result_storage=LocalFileSystem(basepath=tmp_path))
    monkeypatch.setattr(_attempts, "get_result_store", lambda: store)


def part_of(root: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "flow_run", Root(root))


def test_a_retry_has_again_what_was_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    part_of("pipeline", monkeypatch)
    assert load_attempt("key", dict) is None
    save_attempt.fn("key", {"brought": "home"})
    assert load_attempt("key", dict) == {"brought": "home"}


def test_no_other_run_and_no_other_key_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    part_of("tonight", monkeypatch)
    save_attempt.fn("key", {"brought": "home"})
    assert load_attempt("other", dict) is None
    part_of("tomorrow night", monkeypatch)
    assert load_attempt("key", dict) is None


def test_what_another_release_kept_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    part_of("pipeline", monkeypatch)
    save_attempt.fn("key", ["brought", "home"])
    assert load_attempt("key", dict) is None


def test_where_the_whole_run_is_not_known_nothing_is_kept_and_nothing_recalled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    part_of(None, monkeypatch)
    save_attempt.fn("key", {"brought": "home"})
    assert load_attempt("key", dict) is None
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_kept_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    part_of(None, monkeypatch)
    assert save_attempt.fn("key", {}) is False
    part_of("pipeline", monkeypatch)
    assert save_attempt.fn("key", {}) is True
