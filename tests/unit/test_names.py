"""The names that Kubernetes accepts."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.names import DNS_LABEL_PATTERN, dns_label_problem

# As Kubernetes writes it.
KUBERNETES = re.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?")


@given(st.text("a0-", max_size=63) | st.text("aA0-._", max_size=8))
def test_our_pattern_of_a_label_accepts_what_that_of_kubernetes_does(name: str) -> None:
    ours = re.fullmatch(DNS_LABEL_PATTERN, name) is not None
    assert ours is (KUBERNETES.fullmatch(name) is not None)


@pytest.mark.parametrize("name", ["a-" * 31 + "a", "a" + "-" * 61 + "0", "a" * 63])
def test_a_label_may_have_63_characters_wherever_its_dashes_are(name: str) -> None:
    assert dns_label_problem(name) is None
