"""For the same raw reports, our flat keys are those of kperf's own group server, to the last digit.

JSON numbers are compared as the doubles and integers that they name, with no tolerance.
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
from tests.factories.real_kperf import ABSENT, LIST, deaf_address, real_report, spec
from tests.localcluster.env import Json
from tests.peer.group_server import GroupServer, PeerCluster

UNREADABLE = b'{"total": 3, "duration": "1s", "latenciesByURL": {"LIST x": [0.1, 0.'


def theirs(cluster: PeerCluster, folder: Path, name: str, reports: Sequence[bytes | None]) -> Json:
    """kperf's merge of these reports; None is a runner that uploads none."""
    with GroupServer(cluster, folder, name, len(reports)) as server:
        for pod, report in zip(server.pods, reports, strict=True):
            if report is not None:
                server.post(pod, report)
        server.end(server.pods)
        return server.summary()


def ours(reports: Sequence[bytes | None]) -> Json:
    """Our merge of the same, by the whole way from a framed log to the printed JSON."""
    outcomes = [_outcome(index, report) for index, report in enumerate(reports)]
    document: Json = json.loads(to_json(merge(RUN, outcomes, raw=True)))
    return document


def _outcome(index: int, report: bytes | None) -> PodOutcome:
    place: Json = {"job": "mrunners-0", "index": index}
    pod: Json = {**place, "job_index": 0, "uri": "file:///load.yaml?numbers=3"}
    if report is None:
        return PodOutcome(**pod, missing=MissingReason.POD_GONE)
    body = body_of(report)
    lines = [begin_line(report, body, **place, pod=""), *folded(body), end_line(report, **place)]
    log = b"\n".join([b"", *lines, b""])
    try:
        raw = extract_report(log, FrameAddress(RUN_ID, **place))
        return PodOutcome(**pod, report=parse_report(raw))
    except UnusableReportError as error:
        return PodOutcome(**pod, missing=error.problem, detail=error.detail)


def assert_same_figures(mine: Json, kperfs: Json) -> None:
    # Go leaves out what is empty.
    empty: Json = {
        "errors": [],
        "errorStats": {},
        "percentileLatencies": [],
        "percentileLatenciesByURL": {},
    }
    kperfs = empty | kperfs
    picked = {key: mine[key] for key in kperfs}
    # The server goes through its pods by name (10 before 2), we go by index.
    for document in (picked, kperfs):
        document["errors"] = sorted(
            document["errors"], key=lambda error: json.dumps(error, sort_keys=True)
        )
    assert picked == kperfs


def assert_raw_samples_are_theirs(mine: Json, reports: Sequence[bytes]) -> None:
    """kperf's merge prints no raw samples, so ours are held against the reports themselves."""
    pools: dict[str, list[float]] = {}
    for report in map(json.loads, reports):
        for url, samples in report.get("aggregated", report)["latenciesByURL"].items():
            pools.setdefault(url, []).extend(samples)
    assert mine["latenciesByURL"] == {url: sorted(pool) for url, pool in pools.items()}


def test_plain_reports_of_three_real_runners(peer: PeerCluster, tmp_path: Path) -> None:
    reports = [real_report(peer, tmp_path / str(n), spec()) for n in range(3)]
    mine = ours(reports)
    assert mine["total"] == 600
    assert_same_figures(mine, theirs(peer, tmp_path, "plain", reports))
    assert_raw_samples_are_theirs(mine, reports)


def test_reports_with_http_errors_refused_connections_and_timeouts(
    peer: PeerCluster, tmp_path: Path
) -> None:
    with deaf_address() as deaf:
        silent = f"https://127.0.0.1:{deaf.getsockname()[1]}"
        reports = [
            real_report(peer, tmp_path / "absent", spec(LIST, ABSENT)),
            real_report(peer, tmp_path / "silent", spec(total=4), server=silent),
        ]
    reports.append(real_report(peer, tmp_path / "closed", spec(total=9), server=silent))
    mine = ours(reports)
    # A timeout's message has the URL in it, another one for each request.
    kinds = {key.rpartition(": ")[2] for key in mine["errorStats"]}
    assert kinds == {"http/404", "TLS handshake timeout", "connection/connection refused"}
    assert_same_figures(mine, theirs(peer, tmp_path, "errors", reports))
    assert_raw_samples_are_theirs(mine, reports[:1])


def test_reports_of_several_specs(peer: PeerCluster, tmp_path: Path) -> None:
    reports = [
        real_report(peer, tmp_path / "two", spec(LIST), spec(LIST, ABSENT)),
        real_report(peer, tmp_path / "three", spec(), spec(LIST, total=50), spec(ABSENT, total=7)),
        real_report(peer, tmp_path / "one", spec()),
    ]
    assert [len(json.loads(report)["perSpecResults"]) for report in reports] == [2, 3, 1]
    mine = ours(reports)
    assert_same_figures(mine, theirs(peer, tmp_path, "specs", reports))
    assert_raw_samples_are_theirs(mine, reports)


def test_a_missing_report_and_an_unreadable_one_leave_the_same_figures_and_we_say_so(
    peer: PeerCluster, tmp_path: Path
) -> None:
    whole = [real_report(peer, tmp_path / str(n), spec(LIST, ABSENT)) for n in range(2)]
    reports = [whole[0], None, UNREADABLE, whole[1]]
    mine = ours(reports)
    assert_same_figures(mine, theirs(peer, tmp_path, "gaps", reports))
    assert_raw_samples_are_theirs(mine, whole)
    assert [(pod["index"], pod["reason"]) for pod in mine["coverage"]["missing"]] == [
        (1, "pod-gone"),
        (2, "invalid-json"),
    ]


def test_made_reports_of_both_forms_and_of_numbers_of_every_size(
    peer: PeerCluster, tmp_path: Path
) -> None:
    reports = random_reports(12)
    mine = ours(reports)
    assert_same_figures(mine, theirs(peer, tmp_path, "made", reports))
    assert_raw_samples_are_theirs(mine, reports)


def test_no_report_at_all(peer: PeerCluster, tmp_path: Path) -> None:
    assert_same_figures(ours([None, None]), theirs(peer, tmp_path, "nothing", [None, None]))
