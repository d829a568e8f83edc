"""Where the fuzzer begins: valid inputs of each target, and those that are known to be broken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mrunners.plan.tracker import tracker_manifest
from mrunners.profiles.rendering import render_profile
from tests.cluster.commands import CHECKOUT
from tests.factories import (
    flat,
    framed,
    multi,
    printed,
    random_reports,
)
from tests.unit.env import loaded, planned
from tests.unit.reports.corpus.interleaved import interleaved
from tests.unit.reports.corpus.real_log import LOG, REPORT
from tests.unit.reports.corpus.rotated import rotated

__all__ = ["seeds"]

_URIS = (
    "file:///etc/load.yaml?numbers=10",
    "configmap:///load/mixed/key.yaml?numbers=1",
    "configmap:///load/group",
    "FILE:///a%20b/%C3%BC.yaml?numbers=10000",
    "file://host:80/x",
    "https://user@host/x?numbers=0&number=2#f",
    "file:///a?numbers=1&numbers=2&",
)

_PROFILE = """\
version: 1
description: "every kind of request"
specs:
- {rate: 0.5, duration: 60, conns: 2, client: 4, contentType: json, disableHTTP2: true,
   maxRetries: 3, requests: [
  {shares: 1, staleList: {group: apps, version: v1, resource: pods, selector: a=b}},
  {shares: 2, quorumList: {version: v1, resource: pods, limit: 500, namespace: d}},
  {shares: 1, watchList: {version: v1, resource: events}},
  {shares: 1, quorumGet: {version: v1, resource: pods, namespace: d, name: x}}]}
- rate: 1.5e2
  total: 100
  conns: 1
  client: 1
  contentType: json
  requests:
  - shares: 3
    getPodLog: {namespace: d, name: p, container: c, tailLines: 10}
"""

_GROUP = """\
count: 3
nodeAffinity: {node-type: [a, b]}
serviceAccount: kperf
loadProfile:
  version: 1
  spec: {rate: 1, total: 9, conns: 1, client: 1, contentType: json, requests: [
    {shares: 1, staleList: {version: v1, resource: namespaces}}]}
"""


def seeds(target: str) -> list[bytes]:
    """Return the inputs that a target begins with; at least one of them is valid."""
    return list(
        {
            "uri": _uris,
            "profile": _profiles,
            "log": _logs,
            "damaged-log": _damaged_logs,
            "report": _reports,
            "plan": _plans,
        }[target]()
    )


def _uris() -> Iterator[bytes]:
    yield from (uri.encode() for uri in _URIS)


def _profiles() -> Iterator[bytes]:
    for path in sorted((CHECKOUT / "examples" / "profiles").glob("*.yaml")):
        yield path.read_bytes()
    yield _PROFILE.encode()
    yield _GROUP.encode()
    yield f"{_GROUP}---\n{_PROFILE}".encode()
    yield render_profile(loaded("file:///load.yaml?numbers=1").profile).encode()
    yield Path(CHECKOUT / "examples" / "rbac.yaml").read_bytes()[:2_000]


def _logs() -> Iterator[bytes]:
    yield LOG
    yield framed(printed(flat()))
    yield b"I0102 klog\n" + printed(flat()) + b"\nbye\n"
    yield from (log for _, log, _ in (*rotated(), *interleaved()))


def _damaged_logs() -> Iterator[bytes]:
    for where in (0, 1, 100, 300, 310, 320, 500):
        yield where.to_bytes(2) + bytes((7, 4)) + b"I01\n" + printed(flat())


def _reports() -> Iterator[bytes]:
    yield REPORT
    yield printed(flat())
    yield printed(flat(errors=2))
    yield printed(multi(flat(), aggregated=flat()))
    yield from (report for report in random_reports(12) if len(report) < 20_000)


def _plans() -> Iterator[bytes]:
    for run in (planned(2, 1), planned(1, spread="require")):
        data = tracker_manifest(run.plan, run.profiles)["data"]
        assert isinstance(data, dict)
        yield data["plan.json"].encode()
