"""The corpus of broken logs: none is merged, each is in the coverage with its own reason."""

from __future__ import annotations

import json
import tracemalloc
import zlib
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrunners.reports.coverage import MissingPod
from mrunners.reports.frame import extract_report
from mrunners.reports.kperf_report import parse_report
from mrunners.reports.log_size import MAX_REPORT_BYTES
from mrunners.reports.merge import merge
from mrunners.reports.merged import to_json
from mrunners.reports.outcomes import MissingReason, PodOutcome, UnusableReportError
from tests.factories import ADDRESS, RUN, RUN_ID, body_of, flat, framed, merged_pod
from tests.unit.reports.broken_logs import broken_logs
from tests.unit.reports.corpus.interleaved import interleaved
from tests.unit.reports.corpus.real_log import LOG, REPORT
from tests.unit.reports.corpus.rotated import rotated

CORPUS = [*broken_logs(), *interleaved(), *rotated()]
WHOLE = merged_pod(1, 0, flat())
FIGURES = ("total", "errorStats", "totalReceivedBytes", "percentileLatencies", "duration")


def outcome(log: bytes) -> PodOutcome:
    pod: dict[str, Any] = {"job": ADDRESS.job, "job_index": 1, "uri": WHOLE.uri}
    pod |= {"index": ADDRESS.index, "pod": ADDRESS.pod, "node": "node-2"}
    try:
        return PodOutcome(**pod, report=parse_report(extract_report(log, ADDRESS)))
    except UnusableReportError as error:
        return PodOutcome(**pod, missing=error.problem, detail=error.detail)


def test_the_real_log_is_merged() -> None:
    assert extract_report(LOG, ADDRESS) == REPORT
    report = merge(RUN, RUN_ID, [outcome(LOG), WHOLE])
    assert (report.total, report.error_stats) == (963 + 3, {"http/404": 37})
    assert report.complete


@pytest.mark.parametrize(
    ("log", "reason"), [(c[1], c[2]) for c in CORPUS], ids=[c[0] for c in CORPUS]
)
def test_a_broken_log_is_missing_with_its_reason_and_changes_no_figure(
    log: bytes, reason: MissingReason
) -> None:
    broken = outcome(log)
    report = merge(RUN, RUN_ID, [broken, WHOLE])
    assert report.coverage.missing == (
        MissingPod(
            job=ADDRESS.job,
            index=ADDRESS.index,
            pod=ADDRESS.pod,
            node="node-2",
            reason=reason,
            detail=broken.detail,
        ),
    )
    assert broken.detail
    assert not report.complete
    assert f"({reason.value}: " in report.verdict
    with_broken, without_broken = (
        json.loads(to_json(merge(RUN, RUN_ID, outcomes))) for outcomes in ([broken, WHOLE], [WHOLE])
    )
    assert [with_broken[key] for key in FIGURES] == [without_broken[key] for key in FIGURES]


def test_the_corpus_is_large_and_has_no_duplicates() -> None:
    names = [name for name, _, _ in CORPUS]
    assert len(set(names)) == len(names) >= 150
    # Two cases have an empty log.
    assert len({log for _, log, _ in CORPUS}) >= len(names) - 1


# A test replaces it by CountingDecompressor.
_decompressobj = zlib.decompressobj


class CountingDecompressor:
    """zlib's decompressor, which counts the bytes that it returns."""

    produced: int

    def __init__(self, window: int) -> None:
        self._inner = _decompressobj(window)
        CountingDecompressor.produced = 0

    def decompress(self, packed: bytes, most: int) -> bytes:
        raw = self._inner.decompress(packed, most)
        CountingDecompressor.produced += len(raw)
        return raw

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data


@pytest.mark.parametrize("announced", [0, 2, 1000, 1_000_000])
def test_a_gzip_bomb_is_never_unpacked_beyond_one_byte_more_than_announced(
    announced: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = body_of(bytes(64 * 2**20))
    log = framed(bytes(announced), body=bomb)
    monkeypatch.setattr(zlib, "decompressobj", CountingDecompressor)
    tracemalloc.start()
    try:
        with pytest.raises(UnusableReportError) as caught:
            extract_report(log, ADDRESS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.problem is MissingReason.LENGTH_MISMATCH
    assert CountingDecompressor.produced == announced + 1
    # The log's lines, their joined text and the decoded base64, each once or twice; not 64 MiB.
    assert peak < 8 * len(log) + 2 * announced + 100_000


def test_a_bomb_that_announces_its_size_is_not_unpacked_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never(window: int) -> object:
        raise AssertionError(window)

    monkeypatch.setattr(zlib, "decompressobj", never)
    log = framed(b"", body=body_of(bytes(1000)), bytes=MAX_REPORT_BYTES + 1)
    with pytest.raises(UnusableReportError) as caught:
        extract_report(log, ADDRESS)
    assert caught.value.problem is MissingReason.TOO_LARGE


def assert_exact_or_refused(log: bytes) -> None:
    """Assert that kperf's report is extracted byte for byte, or refused with a reason."""
    try:
        report = extract_report(log, ADDRESS)
    except UnusableReportError as error:
        refusal = error
    else:
        assert report == REPORT
        return
    assert refusal.problem in MissingReason
    assert refusal.detail.isprintable()


POSITIONS = st.integers(0, len(LOG))
NOISE = st.one_of(
    st.binary(min_size=1, max_size=60),
    st.text("ABCxyz019+/=\n", min_size=1, max_size=60).map(str.encode),
    st.sampled_from([b"\n", b"\r\n", b"\0", b"mrunners-report ", b"W0102 slow\n"]),
)
# (position, how many bytes are lost there, bytes that are written there)
DAMAGES = st.lists(st.tuples(POSITIONS, st.integers(0, 5000), NOISE | st.just(b"")), max_size=4)


@settings(max_examples=400, deadline=None)
@given(DAMAGES)
def test_a_real_log_with_any_damage_gives_the_exact_report_or_a_reason(
    damages: list[tuple[int, int, bytes]],
) -> None:
    log = LOG
    for position, lost, noise in damages:
        log = log[:position] + noise + log[position + lost :]
    assert_exact_or_refused(log)


@settings(max_examples=300, deadline=None)
@given(st.lists(POSITIONS, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_a_real_log_whose_pieces_are_shuffled_gives_the_exact_report_or_a_reason(
    cuts: list[int], rng: Any
) -> None:
    bounds = [0, *sorted(cuts), len(LOG)]
    pieces = [LOG[low:high] for low, high in pairwise(bounds)]
    rng.shuffle(pieces)
    assert_exact_or_refused(b"".join(pieces))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(LOG) - 1), st.integers(1, 255))
def test_a_real_log_with_one_byte_altered_gives_the_exact_report_or_a_reason(
    position: int, mask: int
) -> None:
    assert_exact_or_refused(LOG[:position] + bytes([LOG[position] ^ mask]) + LOG[position + 1 :])


@pytest.mark.parametrize("stderr", [b"W0102 slow\n", b"\xff\xfe\r\n", b"\x1b[2J\n", b"{\n"])
def test_stderr_before_and_after_the_frame_does_no_harm(stderr: bytes) -> None:
    assert extract_report(stderr + LOG + stderr, ADDRESS) == REPORT
