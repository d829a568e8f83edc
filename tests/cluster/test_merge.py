"""The merged figures against those computed here from the raw logs, by other means."""

from __future__ import annotations

import base64
import gzip
import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.cluster.whole_run import WholeRun

PERCENTILES = (0, 0.5, 0.9, 0.95, 0.99, 1)


def _report_in(log: bytes) -> Any:
    frame = re.search(
        rb"\nmrunners-report begin [^\n]*\n(.*)\nmrunners-report end ", log, re.DOTALL
    )
    assert frame is not None
    return json.loads(gzip.decompress(base64.b64decode(frame[1])))["aggregated"]


def _seconds(duration: str) -> float:
    units = {"m": 60.0, "s": 1.0, "ms": 0.001}
    parts = re.findall(r"([\d.]+)(ms|m|s)", duration)
    return sum(float(number) * units[unit] for number, unit in parts)


def _percentiles(samples: Iterable[float]) -> list[list[float]]:
    ranked = sorted(samples)
    return [[p, ranked[max(math.ceil(len(ranked) * p) - 1, 0)]] for p in PERCENTILES]


def _figures(reports: list[Any]) -> dict[str, Any]:
    """What a merge of kperf's reports must say."""
    by_url: dict[str, list[float]] = {}
    for report in reports:
        for url, samples in report["latenciesByURL"].items():
            by_url.setdefault(url, []).extend(samples)
    samples = [sample for url in by_url.values() for sample in url]
    errors: Counter[str] = Counter()
    for report in reports:
        errors.update(report.get("errorStats") or {})
    return {
        "total": len(samples),
        "duration": max((report["duration"] for report in reports), key=_seconds),
        "errorStats": dict(errors),
        "totalReceivedBytes": sum(report["totalReceivedBytes"] for report in reports),
        "percentileLatencies": _percentiles(samples),
        "percentileLatenciesByURL": {url: _percentiles(of) for url, of in by_url.items() if of},
    }


def _reports_of(whole: WholeRun, job: str) -> list[Any]:
    return [_report_in(log) for pod, log in whole.logs.items() if pod.startswith(job)]


def _picked(report: Any) -> dict[str, Any]:
    keys = ("total", "duration", "errorStats", "totalReceivedBytes")
    return {key: report[key] for key in (*keys, *(k for k in report if k.startswith("percentile")))}


def test_every_figure_of_the_merge_equals_the_one_computed_from_the_raw_logs(
    whole: WholeRun,
) -> None:
    reports = _reports_of(whole, "mrunners-")
    assert len(reports) == 6
    expected = _figures(reports)
    assert expected["errorStats"].keys() == {"http/404"}
    assert expected["total"] + expected["errorStats"]["http/404"] == 2 * 120 + 3 * 90 + 80
    assert _picked(whole.result.report) == expected


def test_every_runners_figures_equal_those_computed_from_its_own_raw_logs(whole: WholeRun) -> None:
    merged = {runner["job"]: _picked(runner["report"]) for runner in whole.result.report["runners"]}
    jobs = ("mrunners-0", "mrunners-1", "mrunners-2")
    assert merged == {job: _figures(_reports_of(whole, job)) for job in jobs}


def test_every_pods_figures_are_those_of_its_own_log(whole: WholeRun) -> None:
    seen = {
        pod["name"]: (pod["samples"], pod["errors"], pod["duration"], pod["percentileLatencies"])
        for runner in whole.result.report["runners"]
        for pod in runner["pods"]
    }
    expected = {}
    for pod, log in whole.logs.items():
        report = _report_in(log)
        figures = _figures([report])
        errors = sum((report.get("errorStats") or {}).values())
        percentiles = figures["percentileLatencies"]
        expected[pod] = (figures["total"], errors, report["duration"], percentiles)
    assert seen == expected


def test_raw_holds_every_sample_and_every_error(whole: WholeRun) -> None:
    raw = whole.env.mrunners("result", whole.env.namespace, "--raw")
    assert raw.code == 0
    samples: dict[str, list[float]] = {}
    errors = 0
    for log in whole.logs.values():
        report = _report_in(log)
        errors += len(report.get("errors") or ())
        for url, measured in report["latenciesByURL"].items():
            samples[url] = sorted([*samples.get(url, []), *measured])
    assert raw.report["latenciesByURL"] == samples
    assert len(raw.report["errors"]) == errors > 0
