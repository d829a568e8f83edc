"""For the same raw reports, our flat keys equal those of kperf's own group server exactly.

JSON numbers are compared as doubles and integers, without tolerance.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from mrunners.reports.frame import FrameAddress, extract_report
from mrunners.reports.kperf_report import parse_report
from mrunners.reports.merge import merge
from mrunners.reports.merged import to_json
from mrunners.reports.outcomes import MissingReason, PodOutcome, UnusableReportError
from tests.factories import RUN, RUN_ID, begin_line, body_of, end_line, folded, random_reports
from tests.factories.real_kperf import ABSENT, LIST, real_report, silent_server, spec
from tests.localcluster.env import Json
from tests.peer.group_server import GroupServer, PeerCluster

UNREADABLE = b'{"total": 3, "duration": "1s", "latenciesByURL": {"LIST x": [0.1, 0.'


def theirs(cluster: PeerCluster, folder: Path, name: str, reports: Sequence[bytes | None]) -> Json:
    """Merge these reports with kperf; None is a runner that uploads no report."""
    with GroupServer(cluster, folder, name, len(reports)) as server:
        for pod, report in zip(server.pods, reports, strict=True):
            if report is not None:
                server.post(pod, report)
        server.end(server.pods)
        return server.summary()


def ours(reports: Sequence[bytes | None]) -> Json:
    """Merge the same reports with mrunners, from the framed logs to the printed JSON."""
    outcomes = [_outcome(index, report) for index, report in enumerate(reports)]
    document: Json = json.loads(to_json(merge(RUN, RUN_ID, outcomes, raw=True)))
    return document


def _outcome(index: int, report: bytes | None) -> PodOutcome:
    address: Json = {"job": "mrunners-0", "index": index}
    pod: Json = {**address, "job_index": 0, "uri": "file:///load.yaml?numbers=3"}
    if report is None:
        return PodOutcome(**pod, missing=MissingReason.POD_GONE)
    body = body_of(report)
    lines = [
        begin_line(report, body, **address, pod=""),
        *folded(body),
        end_line(report, **address),
    ]
    log = b"\n".join([b"", *lines, b""])
    try:
        raw = extract_report(log, FrameAddress(RUN_ID, **address))
        return PodOutcome(**pod, report=parse_report(raw))
    except UnusableReportError as error:
        return PodOutcome(**pod, missing=error.problem, detail=error.detail)


def assert_same_figures(merged: Json, by_kperf: Json) -> None:
    # Go omits empty fields.
    empty: Json = {
        "errors": [],
        "errorStats": {},
        "percentileLatencies": [],
        "percentileLatenciesByURL": {},
    }
    by_kperf = empty | by_kperf
    by_mrunners = {key: merged[key] for key in by_kperf}
    # The order of errors differs: the server sorts pods by name (10 before 2), we by index.
    for document in (by_mrunners, by_kperf):
        document["errors"] = sorted(
            document["errors"], key=lambda error: json.dumps(error, sort_keys=True)
        )
    assert by_mrunners == by_kperf


def assert_raw_samples_are_those_of(reports: Sequence[bytes], merged: Json) -> None:
    """kperf's merge prints no raw samples, so ours are compared with the reports."""
    pools: dict[str, list[float]] = {}
    for report in map(json.loads, reports):
        for url, samples in report.get("aggregated", report)["latenciesByURL"].items():
            pools.setdefault(url, []).extend(samples)
    assert merged["latenciesByURL"] == {url: sorted(pool) for url, pool in pools.items()}


def test_plain_reports_of_three_real_runners(peer: PeerCluster, tmp_path: Path) -> None:
    reports = [real_report(peer, tmp_path / str(n), spec()) for n in range(3)]
    merged = ours(reports)
    assert merged["total"] == 600
    assert_same_figures(merged, theirs(peer, tmp_path, "plain", reports))
    assert_raw_samples_are_those_of(reports, merged)


def test_reports_with_http_errors_refused_connections_and_timeouts(
    peer: PeerCluster, tmp_path: Path
) -> None:
    with silent_server() as listener:
        silent = f"https://127.0.0.1:{listener.getsockname()[1]}"
        reports = [
            real_report(peer, tmp_path / "absent", spec(LIST, ABSENT)),
            real_report(peer, tmp_path / "silent", spec(total=4), server=silent),
        ]
    reports.append(real_report(peer, tmp_path / "closed", spec(total=9), server=silent))
    merged = ours(reports)
    # The message of a timeout contains the URL, so it differs between requests.
    kinds = {key.rpartition(": ")[2] for key in merged["errorStats"]}
    assert kinds == {"http/404", "TLS handshake timeout", "connection/connection refused"}
    assert_same_figures(merged, theirs(peer, tmp_path, "errors", reports))
    assert_raw_samples_are_those_of(reports[:1], merged)


def test_reports_of_several_specs(peer: PeerCluster, tmp_path: Path) -> None:
    reports = [
        real_report(peer, tmp_path / "two", spec(LIST), spec(LIST, ABSENT)),
        real_report(peer, tmp_path / "three", spec(), spec(LIST, total=50), spec(ABSENT, total=7)),
        real_report(peer, tmp_path / "one", spec()),
    ]
    assert [len(json.loads(report)["perSpecResults"]) for report in reports] == [2, 3, 1]
    merged = ours(reports)
    assert_same_figures(merged, theirs(peer, tmp_path, "specs", reports))
    assert_raw_samples_are_those_of(reports, merged)


def test_a_missing_and_an_unreadable_report_give_the_same_figures_and_we_report_both(
    peer: PeerCluster, tmp_path: Path
) -> None:
    whole = [real_report(peer, tmp_path / str(n), spec(LIST, ABSENT)) for n in range(2)]
    reports = [whole[0], None, UNREADABLE, whole[1]]
    merged = ours(reports)
    assert_same_figures(merged, theirs(peer, tmp_path, "gaps", reports))
    assert_raw_samples_are_those_of(whole, merged)
    assert [(pod["index"], pod["reason"]) for pod in merged["coverage"]["missing"]] == [
        (1, "pod-gone"),
        (2, "invalid-json"),
    ]


def test_random_reports_of_both_formats_with_numbers_of_every_size(
    peer: PeerCluster, tmp_path: Path
) -> None:
    reports = random_reports(12)
    merged = ours(reports)
    assert_same_figures(merged, theirs(peer, tmp_path, "random", reports))
    assert_raw_samples_are_those_of(reports, merged)


def test_a_run_without_any_report(peer: PeerCluster, tmp_path: Path) -> None:
    assert_same_figures(ours([None, None]), theirs(peer, tmp_path, "nothing", [None, None]))
