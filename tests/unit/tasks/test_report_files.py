from pathlib import Path

import pytest

from mrunners.errors import InvalidInputError
from mrunners.render.markdown import SavedPage, render_markdown
from mrunners.reports.merge import merge
from mrunners.reports.merged import to_json
from mrunners_tasks import report_files
from mrunners_tasks.report_files import ReportFiles, page_of, require_folder, write_report
from tests.factories import RUN, flat, merged_pod
from tests.fakes import RecordingObserver

REPORT = merge(RUN, [merged_pod(0, 0, flat())])
BELOW = f"{REPORT.namespace}/{REPORT.tracker}/{REPORT.run}"


@pytest.fixture
def observer(monkeypatch: pytest.MonkeyPatch) -> RecordingObserver:
    monkeypatch.setattr("socket.gethostname", lambda: "worker-1")
    observer = RecordingObserver()
    monkeypatch.setattr(report_files, "observer", lambda: observer)
    return observer


def test_nothing_is_written_unless_a_folder_is_given(observer: RecordingObserver) -> None:
    assert (page_of(REPORT, ReportFiles()), write_report(REPORT, ReportFiles())) == (None, True)
    assert observer == RecordingObserver()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", None),
        ("https://reports.example", f"https://reports.example/{BELOW}.html"),
        ("https://reports.example/load/", f"https://reports.example/load/{BELOW}.html"),
    ],
)
def test_the_page_and_its_json_are_written_and_the_page_is_referred_to(
    observer: RecordingObserver, tmp_path: Path, url: str, expected: str | None
) -> None:
    files = ReportFiles(folder=str(tmp_path / "reports"), url=url)
    assert write_report(REPORT, files)
    path = tmp_path / "reports" / f"{BELOW}.html"
    assert page_of(REPORT, files) == SavedPage(str(path), "worker-1", expected)
    assert path.read_text("utf-8").startswith("<!doctype html>")
    assert path.with_suffix(".json").read_text("utf-8") == to_json(REPORT)
    assert sorted(entry.suffix for entry in path.parent.iterdir()) == [".html", ".json"]
    assert observer == RecordingObserver()


def test_a_folder_that_fails_at_the_end_is_warned_of_and_the_report_counts_as_not_saved(
    observer: RecordingObserver, tmp_path: Path
) -> None:
    (tmp_path / REPORT.namespace).touch()
    assert not write_report(REPORT, ReportFiles(folder=str(tmp_path)))
    (warning,) = observer.warnings
    assert warning.startswith(f"the report could not be written to {tmp_path}/{BELOW}.html: ")
    assert f"mrunners result {REPORT.namespace} --tracker {REPORT.tracker}" in warning


def test_a_folder_that_can_be_written_to_is_made_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    require_folder(ReportFiles(folder=str(tmp_path / "a" / "b"), url="http://127.0.0.1"))
    assert list((tmp_path / "a" / "b").iterdir()) == []


@pytest.mark.parametrize(
    ("folder", "url", "said"),
    [
        ("reports", "", "files.folder 'reports': give an absolute path"),
        ("", "https://reports.example", "give an http or https URL of files.folder"),
        ("/tmp", "ftp://reports.example", "give an http or https URL of files.folder"),
        ("/tmp", "http://[x", "give an http or https URL of files.folder"),
        ("/tmp", "https://user:secret@x/", "give an http or https URL of files.folder"),
        ("/tmp", "https://x/?sig=secret", "give an http or https URL of files.folder"),
        ("/tmp", "http://x/a b", "give an http or https URL of files.folder"),
        ("/tmp", "http://x/)![](http://y", "give an http or https URL of files.folder"),
        ("/tmp/a\0b", "", "give an absolute path"),
        ("/dev/null/reports", "", "files.folder /dev/null/reports: cannot be written to: "),
    ],
)
def test_a_folder_of_no_use_is_told_before_the_run(folder: str, url: str, said: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        require_folder(ReportFiles(folder=folder, url=url))
    (problem,) = refused.value.problems
    assert said in problem


def test_the_artifact_links_to_the_page_or_says_where_it_is() -> None:
    linked = render_markdown(REPORT, SavedPage("/r/x.html", "worker-1", "https://h/a/x.html"))
    assert "[The whole report, with all plots and tables](https://h/a/x.html)" in linked
    told = render_markdown(REPORT, SavedPage("/r/x.html", "worker-1"))
    assert "The whole report is a page on worker-1: /r/x.html" in told
    assert "whole report" not in render_markdown(REPORT)
