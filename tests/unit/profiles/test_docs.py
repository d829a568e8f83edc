import re
from pathlib import Path

from tests.unit.profiles.one_document import parse_profile

PROFILES_MD = Path(__file__).parents[3] / "docs" / "profiles.md"


def test_the_profile_in_the_docs_is_valid() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PROFILES_MD.read_text(), flags=re.DOTALL)
    assert parse_profile(text).warnings == ()
