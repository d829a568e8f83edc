"""What mrunners itself sent to the API server during a run: part of the load that it measures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from pydantic import Field

from mrunners.formatting import counted
from mrunners.quantities import format_bytes
from mrunners.records import Record

__all__ = ["Traffic", "VerbTraffic", "count_requests", "describe_traffic"]


class VerbTraffic(Record):
    """The requests of one verb, with retries.

    Attributes:
        requests: How many were sent.
        sent_bytes: Of their bodies.
        received_bytes: Of the bodies that were answered, without headers and TLS.
    """

    requests: int
    sent_bytes: int = Field(alias="sentBytes")
    received_bytes: int = Field(alias="receivedBytes")


Traffic: TypeAlias = Mapping[str, VerbTraffic]
"""By verb, as in RBAC: get, list, create, patch, delete, watch."""


def count_requests(traffic: Traffic) -> int:
    """Return how many requests were sent, of all verbs."""
    return sum(of_verb.requests for of_verb in traffic.values())


def describe_traffic(traffic: Traffic) -> str:
    """Return it in a few words: `31 API requests (create 12, list 19), 1.2Mi received`."""
    verbs = ", ".join(f"{verb} {traffic[verb].requests:,}" for verb in sorted(traffic))
    requests = counted(count_requests(traffic), "API request")
    received = format_bytes(sum(of_verb.received_bytes for of_verb in traffic.values()))
    return f"{requests} ({verbs}), {received} received" if traffic else requests
