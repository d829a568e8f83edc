import pytest

from mrunners_flows import finish
from mrunners_flows.finish import previous_attempt
from tests.unit.env import options


def test_no_other_run_of_a_pipeline_with_the_same_key_gets_the_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    identities: list[str] = []
    monkeypatch.setattr(finish, "load_attempt", lambda run, _: identities.append(run))
    runs = [
        options(),
        options(namespace="other"),
        options(tracker="other"),
        options(context="other"),
        options(),
    ]
    for run in runs:
        previous_attempt(run, "key of the pipeline")
    assert identities[0] == identities[-1]
    assert len(set(identities)) == 4
