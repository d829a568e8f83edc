"""The mutations of tests/mutations, which take minutes to run, still fit the code."""

from __future__ import annotations

import pytest

from tests.mutations.mutations import MUTATIONS, Mutation
from tests.unit.repository import ROOT


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_text_that_a_mutation_replaces_is_in_its_file_once(mutation: Mutation) -> None:
    assert (ROOT / mutation.path).read_text().count(mutation.old) == 1
    assert all((ROOT / test.partition("::")[0]).exists() for test in mutation.tests)
