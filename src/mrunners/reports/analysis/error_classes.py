"""Classes of errors for people: messages that differ only in numbers, names or addresses are one.

It must not change kperf's `errorStats`: that keeps every message as it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import Field

from mrunners.records import Record
from mrunners.reports.analysis.folding import fold
from mrunners.reports.analysis.pod_stats import PodFigures

__all__ = ["MOST_CLASSES", "NO_ERRORS", "ErrorClass", "ErrorClasses", "error_classes"]

# kperf keeps the raw text of timeouts, so a run of hours has thousands of messages; who needs a
# rarer class than the twentieth has errorStats.
MOST_CLASSES = 20

_EXAMPLE_CHARACTERS = 400


class ErrorClass(Record):
    """Failed requests that failed in the same way.

    Attributes:
        name: kperf's key with placeholders for what varies, such as
            `unknown/dial tcp <address>: i/o timeout`; `http/<status>` stays as it is.
        count: failed requests.
        messages: how many different keys of `errorStats` were folded into it.
        example: the most frequent of these keys, cut in its middle when it is long.
        pods: how many pods met it.
        hosts: how many hosts they ran on.
    """

    name: str
    count: int
    messages: int
    example: str
    pods: int
    hosts: int


class ErrorClasses(Record):
    """All failed requests of a run, by class.

    Attributes:
        total: failed requests.
        classes: the most frequent ones first, 20 at most.
        more_classes: how many classes are left out.
        more_errors: how many failed requests are of these.
    """

    total: int
    classes: tuple[ErrorClass, ...]
    more_classes: int = Field(alias="moreClasses")
    more_errors: int = Field(alias="moreErrors")


NO_ERRORS = ErrorClasses(total=0, classes=(), more_classes=0, more_errors=0)


@dataclass(slots=True)
class _Class:
    keys: Counter[str] = field(default_factory=Counter)
    pods: int = 0
    hosts: set[str] = field(default_factory=set)


def error_classes(figures: Sequence[PodFigures]) -> ErrorClasses:
    """Group the errors of all merged pods.

    Args:
        figures: of the merged pods; their error statistics may hold any text.
    """
    names: dict[str, str] = {}
    found: dict[str, _Class] = {}
    for pod in figures:
        met = set()
        for key, count in pod.report.error_stats.items():
            if key not in names:
                names[key] = fold(key)
            one = found.setdefault(names[key], _Class())
            one.keys[key] += count
            met.add(names[key])
        for name in met:
            found[name].pods += 1
            if pod.outcome.node is not None:
                found[name].hosts.add(pod.outcome.node)
    classes = sorted(
        (_class(name, one) for name, one in found.items()), key=lambda one: (-one.count, one.name)
    )
    rest = classes[MOST_CLASSES:]
    return ErrorClasses(
        total=sum(one.count for one in classes),
        classes=tuple(classes[:MOST_CLASSES]),
        more_classes=len(rest),
        more_errors=sum(one.count for one in rest),
    )


def _class(name: str, one: _Class) -> ErrorClass:
    example = min(one.keys, key=lambda key: (-one.keys[key], key))
    return ErrorClass(
        name=name,
        count=one.keys.total(),
        messages=len(one.keys),
        example=_cut(example),
        pods=one.pods,
        hosts=len(one.hosts),
    )


def _cut(text: str) -> str:
    half = _EXAMPLE_CHARACTERS // 2
    return text if len(text) <= _EXAMPLE_CHARACTERS else f"{text[:half]}…{text[1 - half :]}"
