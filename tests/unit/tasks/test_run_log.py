import logging

import pytest

from mrunners_tasks import _prefect
from mrunners_tasks._prefect import RunLog


@pytest.mark.parametrize(("count", "more"), [(1, ""), (10, ""), (12, "; and 2 more")])
def test_fetched_reports_are_one_line_that_names_the_first_ten(
    count: int, more: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_prefect, "get_run_logger", lambda: logging.getLogger("run"))
    pods = [f"mrunners-0 index {index}, pod x on node-0" for index in range(count)]
    with caplog.at_level(logging.INFO):
        RunLog().reports_fetched(pods)
    assert caplog.messages == [f"reports fetched: {'; '.join(pods[:10])}{more}"]
