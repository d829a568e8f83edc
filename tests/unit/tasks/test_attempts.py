from pathlib import Path

import pytest
from prefect import runtime
from prefect.exceptions import ObjectNotFound
from prefect.filesystems import LocalFileSystem
from prefect.results import ResultStore

from mrunners_tasks import _attempts
from mrunners_tasks._attempts import load_attempt, save_attempt


class Root:
    """Prefect's runtime in flow runs whose root flow run has this ID."""

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


def root_is(root: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "flow_run", Root(root))


def test_a_retry_gets_what_was_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    root_is("pipeline", monkeypatch)
    assert load_attempt("key", dict) is None
    save_attempt.fn("key", {"pods": 2})
    assert load_attempt("key", dict) == {"pods": 2}


def test_no_other_run_and_no_other_key_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    root_is("tonight", monkeypatch)
    save_attempt.fn("key", {"pods": 2})
    assert load_attempt("other", dict) is None
    root_is("tomorrow night", monkeypatch)
    assert load_attempt("key", dict) is None


def test_what_another_release_saved_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    root_is("pipeline", monkeypatch)
    save_attempt.fn("key", ["pods", 2])
    assert load_attempt("key", dict) is None


def test_nothing_is_saved_or_loaded_where_the_root_flow_run_is_unknown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root_is(None, monkeypatch)
    save_attempt.fn("key", {"pods": 2})
    assert load_attempt("key", dict) is None
    assert list(tmp_path.iterdir()) == []


def test_saving_returns_whether_it_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    root_is(None, monkeypatch)
    assert save_attempt.fn("key", {}) is False
    root_is("pipeline", monkeypatch)
    assert save_attempt.fn("key", {}) is True
