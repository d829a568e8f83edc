"""Classes of errors for people: messages that differ only in numbers, names or addresses are one.

It must not change kperf's `errorStats`: that keeps every message as it was.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import Field

from mrunners.records import Record
from mrunners.reports.analysis.pod_stats import PodStats
from mrunners.text import printable

__all__ = ["MOST_CLASSES", "NO_ERRORS", "ErrorClass", "ErrorClasses", "error_classes", "fold"]

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
        nodes: how many nodes they ran on.
    """

    name: str
    count: int
    messages: int
    example: str
    pods: int
    nodes: int


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
    nodes: set[str] = field(default_factory=set)


def error_classes(stats: Sequence[PodStats]) -> ErrorClasses:
    """Group the errors of all merged pods.

    Args:
        stats: of the merged pods; their error statistics may hold any text.
    """
    names: dict[str, str] = {}
    found: dict[str, _Class] = {}
    for pod in stats:
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
                found[name].nodes.add(pod.outcome.node)
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
        example=printable(example, _EXAMPLE_CHARACTERS),
        pods=one.pods,
        nodes=len(one.nodes),
    )


# A message may be as long as its pod likes; its head and tail tell the class.
_HEAD_CHARACTERS = 600
_TAIL_CHARACTERS = 200

_STATUS = re.compile(r"http/[0-9]{3}")

# In this order: an address holds numbers, and an ID holds hexadecimal digits. No pattern has
# nested repetition, so that no text takes more than linear time.
_FOLDS = (
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]{1,5}\b)?"), "<address>"),
    (re.compile(r"\[[0-9a-fA-F:.]{2,45}(?:%[A-Za-z0-9]{1,15})?\](?::[0-9]{1,5}\b)?"), "<address>"),
    (re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{8,18}(?:Z|[+-][0-9:]{4,5})?"), "<time>"),
    # Go's durations: 59.998s, 1m0s, 1h2m3s.
    (
        re.compile(r"\b(?:[0-9]{1,10}h)?(?:[0-9]{1,10}m)?[0-9]{1,10}(?:\.[0-9]{1,9})?[nuµm]?s\b"),
        "<duration>",
    ),
    # What the control plane appends to generated names: -5d4f8c7b9d-x7k2p, -x7k2p (its alphabet
    # has no vowels and no 0, 1, 3: k8s.io/apimachinery, util/rand).
    (
        re.compile(
            r"(?:-[bcdfghjklmnpqrstvwxz2456789]{8,10})?"
            r"-(?=[a-z]{0,4}[2456789])[bcdfghjklmnpqrstvwxz2456789]{5}\b"
        ),
        "-<id>",
    ),
    (re.compile(r"\b(?=[a-fA-F]{0,63}[0-9])[0-9a-fA-F]{8,64}\b"), "<id>"),
    # Not the 2 of http2, the 1 of /api/v1 or the 509 of x509.
    (re.compile(r"(?<![A-Za-z0-9])[0-9]+(?:\.[0-9]+)?|[0-9]{4,}"), "<n>"),
)


def fold(key: str) -> str:
    """The class of one key of kperf's `errorStats`.

    Args:
        key: `http/<status>` or `<type>/<message>`, of any length and content.
    Returns: the key itself for a status; else the text with `<address>`, `<id>`, `<time>`,
        `<duration>` and `<n>` in place of what varies, at most some 800 characters.
    """
    if _STATUS.fullmatch(key):
        return key
    kind, slash, message = key.partition("/")
    if len(kind) > 40:  # kperf's types are short, and http2-protocol must keep its digit
        kind, slash, message = "", "", key
    if len(message) > _HEAD_CHARACTERS + _TAIL_CHARACTERS:
        message = f"{message[:_HEAD_CHARACTERS]}…{message[-_TAIL_CHARACTERS:]}"
    for pattern, placeholder in _FOLDS:
        message = pattern.sub(placeholder, message)
    return kind + slash + message
