from pathlib import Path

import pytest

from mrunners.errors import InvalidInputError
from mrunners.render.markdown import SavedPage, render_markdown
from mrunners.reports.merge import merge
from mrunners.reports.merged import to_json
from mrunners_tasks import report_files
from mrunners_tasks.report_files import ReportFiles, page_of, require_folder, write_report
from tests.factories import RUN, RUN_ID, flat, merged_pod
from tests.fakes import RecordingObserver

REPORT = merge(RUN, RUN_ID, [merged_pod(0, 0, flat())])
RELATIVE = f"{REPORT.namespace}/{REPORT.tracker}/{REPORT.run}"


@pytest.fixture
def observer(monkeypatch: pytest.MonkeyPatch) -> RecordingObserver:
    monkeypatch.setattr("socket.gethostname", lambda: "worker-1")
    observer = RecordingObserver()
    monkeypatch.setattr(report_files, "observer", lambda: observer)
    return observer


def test_nothing_is_written_without_a_folder(observer: RecordingObserver) -> None:
    assert (page_of(REPORT, ReportFiles()), write_report(REPORT, ReportFiles())) == (None, True)
    assert observer == RecordingObserver()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", None),
        ("https://reports.example", f"https://reports.example/{RELATIVE}.html"),
        ("https://reports.example/load/", f"https://reports.example/load/{RELATIVE}.html"),
    ],
)
def test_the_page_and_its_json_are_written_where_the_artifact_says(
    observer: RecordingObserver, tmp_path: Path, url: str, expected: str | None
) -> None:
    files = ReportFiles(folder=str(tmp_path / "reports"), url=url)
    assert write_report(REPORT, files)
    path = tmp_path / "reports" / f"{RELATIVE}.html"
    assert page_of(REPORT, files) == SavedPage(str(path), "worker-1", expected)
    assert path.read_text("utf-8").startswith("<!doctype html>")
    assert path.with_suffix(".json").read_text("utf-8") == to_json(REPORT)
    assert sorted(entry.suffix for entry in path.parent.iterdir()) == [".html", ".json"]
    assert observer == RecordingObserver()


def test_a_folder_that_fails_at_the_end_is_a_warning_and_the_report_does_not_count_as_saved(
    observer: RecordingObserver, tmp_path: Path
) -> None:
    (tmp_path / REPORT.namespace).touch()
    assert not write_report(REPORT, ReportFiles(folder=str(tmp_path)))
    (warning,) = observer.warnings
    assert warning.startswith(f"the report could not be written to {tmp_path}/{RELATIVE}.html: ")
    assert f"mrunners result {REPORT.namespace} --tracker {REPORT.tracker}" in warning


def test_a_folder_that_can_be_written_to_is_created_and_left_empty(tmp_path: Path) -> None:
    require_folder(ReportFiles(folder=str(tmp_path / "a" / "b"), url="http://127.0.0.1"))
    assert list((tmp_path / "a" / "b").iterdir()) == []


@pytest.mark.parametrize(
    ("folder", "url", "problem"),
    [
        ("reports", "", "files.folder: 'reports' is not an absolute path"),
        ("", "https://reports.example", "files.url: requires files.folder"),
        ("/tmp", "ftp://reports.example", "is not an http or https URL without user and query"),
        ("/tmp", "http://[x", "is not an http or https URL without user and query"),
        ("/tmp", "https://user:secret@x/", "is not an http or https URL without user and query"),
        ("/tmp", "https://x/?sig=secret", "is not an http or https URL without user and query"),
        ("/tmp", "http://x/a b", "is not an http or https URL without user and query"),
        ("/tmp", "http://x/)![](http://y", "is not an http or https URL without user and query"),
        ("/tmp/a\0b", "", "is not an absolute path of printable characters"),
        ("/dev/null/reports", "", "files.folder: cannot write to /dev/null/reports: "),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused_before_the_run(
    folder: str, url: str, problem: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        require_folder(ReportFiles(folder=folder, url=url))
    (line,) = caught.value.problems
    assert problem in line


def test_the_artifact_links_to_the_page_or_says_where_it_is() -> None:
    linked = render_markdown(REPORT, SavedPage("/r/x.html", "worker-1", "https://h/a/x.html"))
    assert "[The whole report, with all plots and tables](https://h/a/x.html)" in linked
    named = render_markdown(REPORT, SavedPage("/r/x.html", "worker-1"))
    assert "The whole report is a page on worker-1: /r/x.html" in named
    assert "whole report" not in render_markdown(REPORT)
