import pytest

from mrunners_flows import finish
from mrunners_flows.finish import previous_attempt
from tests.unit.env import options


def test_no_other_run_of_a_pipeline_with_the_same_key_has_the_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(finish, "load_attempt", lambda run, _: asked.append(run))
    runs = [options(), options(namespace="other"), options(tracker="other"), options()]
    for one in runs:
        previous_attempt(one, "key of the pipeline")
    assert asked[0] == asked[3]
    assert len(set(asked)) == 3
