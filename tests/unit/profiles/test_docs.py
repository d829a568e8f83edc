import re
from pathlib import Path

from mrunners.profiles.runner_groups import RunnerGroup
from tests.unit.profiles.one_document import parse_profile

PROFILES_MD = Path(__file__).parents[3] / "docs" / "profiles.md"


def test_the_profile_and_the_runner_group_in_the_docs_are_valid() -> None:
    texts = re.findall(r"```yaml\n(.*?)```", PROFILES_MD.read_text(), flags=re.DOTALL)
    alone, grouped = map(parse_profile, texts)
    assert (alone.warnings, alone.group) == ((), None)
    assert (grouped.warnings, grouped.group) == (
        (),
        RunnerGroup(
            count=10, node_affinity={"pool": ("benchmark",)}, service_account="kperf-runner"
        ),
    )
