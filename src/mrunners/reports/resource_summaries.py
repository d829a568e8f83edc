"""Latencies by verb, resource and scope: what the official objectives of Kubernetes are about.

A load of random names has thousands of URLs with a few samples each, too few for a percentile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from mrunners.records import Record
from mrunners.reports.api_request import ApiRequest, Scope, parse_api_request
from mrunners.reports.latency_column import LatencyColumn
from mrunners.reports.percentiles import percentile_latencies

__all__ = ["ResourceSummary", "resource_summaries"]

_Pairs = tuple[tuple[float, float], ...]


class ResourceSummary(Record):
    """All requests of one verb, resource and scope.

    Attributes:
        verb: kperf's method, such as `LIST`.
        resource: As RBAC names it, such as `pods` or `deployments.apps/scale`.
        scope: How many objects each is about.
        urls: How many different ones were requested.
        samples: Number of successes.
        errors: Number of failures; None when it is not known which requests failed.
    """

    verb: str
    resource: str
    scope: Scope
    urls: int
    samples: int
    errors: int | None
    percentile_latencies: _Pairs = Field(alias="percentileLatencies")

    @property
    def name(self) -> str:
        """Its name in an objective, such as `LIST pods cluster`."""
        return f"{self.verb} {self.resource} {self.scope.value}"

    def is_named(self, name: str) -> bool:
        """Whether an objective's name for requests is its own, maybe without the scope."""
        return name in {self.name, f"{self.verb} {self.resource}"}

    def is_named_without_group(self, name: str) -> bool:
        """Whether the name leaves out its API group, as kubectl lets one do."""
        plural, slash, subresource = self.resource.partition("/")
        bare = f"{self.verb} {plural.partition('.')[0]}{slash}{subresource}"
        return name in {bare, f"{bare} {self.scope.value}"}


def resource_summaries(
    columns: Mapping[str, Sequence[LatencyColumn]] | None,
    percentiles: Mapping[str, _Pairs] | None,
    errors: Mapping[str, int] | None,
) -> tuple[ResourceSummary, ...] | None:
    """Pool the samples of all requests that are about the same resource, exactly.

    Args:
        columns: The samples of each request, as the report names it.
        percentiles: Those of each request, which are not computed again.
        errors: How often each request failed; None when that is not known.

    Returns:
        By name; without requests that are about no resource. None without raw data.
    """
    if columns is None or percentiles is None:
        return None
    requests: dict[ApiRequest, list[str]] = {}
    for request in sorted({*columns, *(errors or {})}):
        if (found := parse_api_request(request)) is not None:
            requests.setdefault(found, []).append(request)
    summaries = [
        ResourceSummary(
            verb=found.verb,
            resource=found.qualified,
            scope=found.scope,
            urls=len(names),
            samples=sum(len(column) for name in names for column in columns.get(name, ())),
            errors=None if errors is None else sum(errors.get(name, 0) for name in names),
            percentile_latencies=(
                percentiles.get(names[0], ())
                if len(names) == 1
                else percentile_latencies([c for name in names for c in columns.get(name, ())])
            ),
        )
        for found, names in requests.items()
    ]
    return tuple(sorted(summaries, key=lambda summary: summary.name))
