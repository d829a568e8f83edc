"""Group failed requests by what went wrong, and count them by the request that failed.

kperf counts errors by their text, and a text with an address, a port or a time in it is another one
for each request. Here texts that differ only in such values are one class. kperf's `errorStats`
keeps every text as it was.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from pydantic import Field

from mrunners.records import Record
from mrunners.reports.analysis.pod_stats import PodStats
from mrunners.reports.samples import KperfReport
from mrunners.text import printable

__all__ = [
    "MAX_CLASSES",
    "MAX_REQUESTS",
    "NO_ERRORS",
    "ErrorClass",
    "ErrorClasses",
    "RequestErrors",
    "class_name",
    "error_classes",
    "errors_by_request",
    "requests_by_key",
]

# kperf keeps the text of every timeout, so a run of hours has thousands of texts. Rarer classes
# than the twentieth are counted together; errorStats has them all.
MAX_CLASSES = 20

# Of each class; errorsByURL has them all.
MAX_REQUESTS = 10

_EXAMPLE_CHARACTERS = 400

# A text can be of any length; its head and tail are enough to recognize the class.
_HEAD_CHARACTERS = 600
_TAIL_CHARACTERS = 200

_STATUS = re.compile(r"http/[0-9]{3}")

# In this order: an address has numbers in it, and an ID has hexadecimal digits. No pattern has
# nested repetition, so that no text takes more than linear time.
_PLACEHOLDERS = (
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]{1,5}\b)?"), "<address>"),
    (re.compile(r"\[[0-9a-fA-F:.]{2,45}(?:%[A-Za-z0-9]{1,15})?\](?::[0-9]{1,5}\b)?"), "<address>"),
    (re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{8,18}(?:Z|[+-][0-9:]{4,5})?"), "<time>"),
    # Go's durations: 59.998s, 1m0s, 1h2m3s.
    (
        re.compile(r"\b(?:[0-9]{1,10}h)?(?:[0-9]{1,10}m)?[0-9]{1,10}(?:\.[0-9]{1,9})?[nuµm]?s\b"),
        "<duration>",
    ),
    # The suffix of generated names: -5d4f8c7b9d-x7k2p, -x7k2p (without vowels and 0, 1, 3:
    # k8s.io/apimachinery, util/rand).
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


class ErrorClass(Record):
    """Requests that failed in the same way.

    Attributes:
        name: kperf's key with placeholders for what varies, such as
            `unknown/dial tcp <address>: i/o timeout`; `http/<status>` is unchanged.
        count: Number of failed requests.
        messages: Number of different keys of `errorStats` in this class.
        example: The most frequent of these keys, shortened in the middle when it is long.
        pods: Number of pods with such an error.
        nodes: Number of nodes that these pods ran on.
        requests: The requests that failed most often in this way, 10 at most; empty when they are
            unknown.
        more_requests: Number of requests that are left out.
    """

    name: str
    count: int
    messages: int
    example: str
    pods: int
    nodes: int
    requests: tuple[RequestErrors, ...] = ()
    more_requests: int = Field(default=0, alias="moreRequests")


class RequestErrors(Record):
    """How often one request failed; it is named as in `percentileLatenciesByURL`."""

    request: str
    count: int


class ErrorClasses(Record):
    """All failed requests of a run, by class.

    Attributes:
        total: Number of failed requests.
        classes: The most frequent classes first, 20 at most.
        more_classes: Number of classes that are left out.
        more_errors: Number of failed requests in these classes.
    """

    total: int
    classes: tuple[ErrorClass, ...]
    more_classes: int = Field(alias="moreClasses")
    more_errors: int = Field(alias="moreErrors")


NO_ERRORS = ErrorClasses(total=0, classes=(), more_classes=0, more_errors=0)


@dataclass(slots=True)
class _Counts:
    """What one class has so far: failed requests by key and by request, its pods and nodes."""

    keys: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    pods: int = 0
    nodes: set[str] = field(default_factory=set)


def error_classes(stats: Sequence[PodStats]) -> ErrorClasses:
    """Group the errors of all merged pods; their keys may be any text."""
    names: dict[str, str] = {}
    counts: dict[str, _Counts] = {}
    for pod in stats:
        names_of_pod = set()
        requests = requests_by_key(pod.report)
        for key, count in pod.report.error_stats.items():
            if key not in names:
                names[key] = class_name(key)
            name = names[key]
            of_class = counts.setdefault(name, _Counts())
            of_class.keys[key] += count
            of_class.requests.update(requests.get(key, {}))
            names_of_pod.add(name)
        for name in names_of_pod:
            counts[name].pods += 1
            if pod.outcome.node is not None:
                counts[name].nodes.add(pod.outcome.node)
    classes = sorted(
        (_error_class(name, of_class) for name, of_class in counts.items()),
        key=lambda error_class: (-error_class.count, error_class.name),
    )
    rest = classes[MAX_CLASSES:]
    return ErrorClasses(
        total=sum(error_class.count for error_class in classes),
        classes=tuple(classes[:MAX_CLASSES]),
        more_classes=len(rest),
        more_errors=sum(error_class.count for error_class in rest),
    )


def _error_class(name: str, counts: _Counts) -> ErrorClass:
    example = min(counts.keys, key=lambda key: (-counts.keys[key], key))
    requests = heapq.nsmallest(
        MAX_REQUESTS, counts.requests.items(), key=lambda item: (-item[1], item[0])
    )
    return ErrorClass(
        name=name,
        count=counts.keys.total(),
        messages=len(counts.keys),
        example=printable(example, _EXAMPLE_CHARACTERS),
        pods=counts.pods,
        nodes=len(counts.nodes),
        requests=tuple(RequestErrors(request=request, count=count) for request, count in requests),
        more_requests=len(counts.requests) - len(requests),
    )


def class_name(key: str) -> str:
    """Return the class of one key of kperf's `errorStats`.

    Args:
        key: `http/<status>` or `<type>/<message>`, of any length and content.

    Returns:
        The key itself for a status; otherwise the text with `<address>`, `<id>`, `<time>`,
        `<duration>` and `<n>` in the place of what varies, some 800 characters at most.
    """
    if _STATUS.fullmatch(key):
        return key
    kind, slash, message = key.partition("/")
    if len(kind) > 40:  # kperf's types are short, and http2-protocol must keep its digit
        kind, slash, message = "", "", key
    if len(message) > _HEAD_CHARACTERS + _TAIL_CHARACTERS:
        message = f"{message[:_HEAD_CHARACTERS]}…{message[-_TAIL_CHARACTERS:]}"
    for pattern, placeholder in _PLACEHOLDERS:
        message = pattern.sub(placeholder, message)
    return kind + slash + message


_REQUEST = attrgetter("method", "url")
_KEY_AND_REQUEST = attrgetter("type", "code", "message", "method", "url")


def errors_by_request(reports: Iterable[KperfReport]) -> dict[str, int] | None:
    """Return the number of failed requests of each request, sorted by its name.

    Args:
        reports: All merged reports.

    Returns:
        Empty when nothing failed; None when the request of any failed one is unknown: kperf 0.1.7
        does not print it, and there is none without raw data.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for report in reports:
        if len(report.errors) != report.error_count:
            return None
        counts.update(map(_REQUEST, report.errors))
    if any(not url for _, url in counts):
        return None
    return {_name(method, url): count for (method, url), count in sorted(counts.items())}


def requests_by_key(report: KperfReport) -> Mapping[str, Mapping[str, int]]:
    """Return the number of failed requests by key of `errorStats`, then by request.

    Failed requests whose request is unknown are left out.
    """
    by_key: dict[str, Counter[str]] = {}
    # Counted first, because there are few different ones among many.
    for (kind, code, message, method, url), count in Counter(
        map(_KEY_AND_REQUEST, report.errors)
    ).items():
        # As in kperf, metrics/utils.go, BuildErrorStatsGroupByType.
        key = f"{kind}/{code if kind == 'http' else message}"
        if url:
            by_key.setdefault(key, Counter())[_name(method, url)] += count
    return by_key


def _name(method: str, url: str) -> str:
    # kperf's latencies have the URL alone up to 0.3.4, and its errors have no method then.
    return f"{method} {url}" if method else url
