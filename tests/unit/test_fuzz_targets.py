"""What the fuzzer requires of any input holds for the inputs with which it begins."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrunners.errors import InvalidInputError, MrunnersError, RefusedError
from mrunners.plan.tracker import read_plan
from mrunners.profiles.loading import parse_runners
from mrunners.profiles.parsing import parse_documents
from mrunners.reports.frame import extract_report
from mrunners.reports.kperf_report import parse_report
from tests.factories import ADDRESS, RUN
from tests.fuzz import targets
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS, check, run_id_in

PARSE: dict[str, Callable[[bytes], object]] = {
    "uri": lambda data: parse_runners([data.decode()]),
    "profile": parse_documents,
    "log": lambda data: extract_report(data, ADDRESS),
    "report": parse_report,
    "plan": lambda data: read_plan(RUN, {"plan.json": data.decode()}, run_id_in(data)),
}


@pytest.mark.parametrize("target", TARGETS)
def test_every_seed_holds(target: str) -> None:
    for seed in seeds(target):
        check(target, seed)


@pytest.mark.parametrize("target", PARSE)
def test_seeds_are_accepted_and_refused(target: str) -> None:
    assert {_is_accepted(target, seed) for seed in [*seeds(target), b"{"]} == {True, False}


def _is_accepted(target: str, data: bytes) -> bool:
    try:
        PARSE[target](data)
    except MrunnersError:
        return False
    return True


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=30)
@given(data=st.data())
def test_a_seed_with_other_bytes_in_it_holds(target: str, data: st.DataObject) -> None:
    seed = data.draw(st.sampled_from(seeds(target)))[:4_000]
    where = data.draw(st.integers(0, len(seed)))
    removed, inserted = data.draw(st.integers(0, 20)), data.draw(st.binary(max_size=20))
    check(target, seed[:where] + inserted + seed[where + removed :])


@pytest.mark.parametrize(
    ("replaced", "failure", "message"),
    [
        (int, ValueError, "invalid literal"),
        (lambda data: [len(data) for _ in range(100_000)], AssertionError, "for 4 bytes, more"),
    ],
    ids=["another error", "too much work"],
)
def test_what_does_not_hold_fails(
    replaced: Callable[[bytes], object],
    failure: type[Exception],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(targets, "TARGETS", {"x": replaced})
    with pytest.raises(failure, match=message):
        check("x", b"seed")


@pytest.mark.parametrize(
    ("text", "message"), [("a\x1b[2J", "not printable"), ("long" * 1000, "4000 characters")]
)
def test_a_message_that_nobody_can_read_fails(
    text: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RefusedError(text, namespace="load")

    monkeypatch.setattr(targets, "read_plan", refuse)
    with pytest.raises(AssertionError, match=message):
        check("plan", b"{}")


def test_a_password_in_a_message_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(uris: list[str]) -> None:
        raise InvalidInputError(uris[0])

    monkeypatch.setattr(targets, "parse_runners", refuse)
    with pytest.raises(AssertionError):
        check("uri", b"host/load.yaml")


def test_a_plan_that_changes_when_it_is_written_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(plan: object, profiles: object) -> dict[str, object]:
        changed = json.loads(seed) | {"image": "other"}
        return {"data": {"plan.json": json.dumps(changed)}}

    seed = seeds("plan")[0].decode()
    monkeypatch.setattr(targets, "tracker_manifest", write)
    with pytest.raises(AssertionError):
        check("plan", seed.encode())
