"""What must hold for any input: one function per kind of it.

Each takes any bytes and returns, or fails as a test does. An error of mrunners is a good answer to
bad input, if its text can be shown to a person; whatever was accepted must survive the way that it
goes from there. No target uses a clock, a file or a network.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable
from datetime import timedelta
from types import FrameType, MappingProxyType
from typing import Final
from urllib.parse import quote

import numpy as np

from mrunners.errors import InvalidInputError, MrunnersError, RefusedError
from mrunners.plan.job import job_manifest
from mrunners.plan.tracker import assign_profiles, read_plan, tracker_manifest
from mrunners.profiles.loading import parse_runners
from mrunners.profiles.parsing import parse_documents
from mrunners.profiles.rendering import render_profile
from mrunners.reports.columnar_json import parse_document
from mrunners.reports.frame import extract_report
from mrunners.reports.kperf_report import parse_report
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport, to_json
from mrunners.reports.outcomes import PodOutcome, UnusableReportError
from mrunners.reports.plain_log import extract_plain_report
from mrunners.reports.strict_json import JsonObject, parse_json_object
from tests.factories import ADDRESS, RUN, RUN_ID, START, body_of, framed, framed_parts

__all__ = ["MAX_CALLS_PER_BYTE", "SECRET", "TARGETS", "check", "run_id_in"]

# In the user info of each URI, of which no message may show anything.
SECRET: Final = "hunter2"

# One line of a message. Long ones list up to ten things that were found in the input.
_MAX_LINE_CHARACTERS: Final = 2_000
_MAX_LINES: Final = 120

# Calls of Python and C functions together. The most that a seed takes is some 60 for a byte; what
# is quadratic exceeds it with a few kilobytes.
MAX_CALLS_PER_BYTE: Final = 400
_CALLS_FOR_ANYTHING: Final = 60_000

# The API server lets nothing else into a label.
_LABEL: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]")


def check(name: str, data: bytes) -> None:
    """Require that what a target says holds, with work that is proportional to the input's size.

    Raises:
        AssertionError: It does not hold.
        Exception: The code under test raised something else than an error of mrunners.
    """
    calls = _calls_of(lambda: TARGETS[name](data))
    allowed = _CALLS_FOR_ANYTHING + MAX_CALLS_PER_BYTE * len(data)
    assert calls <= allowed, f"{calls} calls for {len(data)} bytes, more than {allowed}"


def _calls_of(work: Callable[[], None]) -> int:
    count = 0

    def profile(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        if event in {"call", "c_call"}:
            count += 1

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def _uri(data: bytes) -> None:
    """A URI on the command line, where bytes that are no UTF-8 become lone surrogates."""
    text = data.decode("utf-8", "surrogateescape")
    for uri in (text, f"file://user:{SECRET}@{text}", f"https://{SECRET}@{text}"):
        try:
            (spec,) = parse_runners([uri])
        except InvalidInputError as error:
            _require_readable(error)
            _require_no_secret(str(error), text)
            continue
        assert uri is text, "user info was accepted"
        assert parse_runners([spec.uri]) == [spec]
        query = "" if spec.pod_count is None else f"?numbers={spec.pod_count}"
        (again,) = parse_runners([f"{spec.scheme}://{quote(spec.path)}{query}"])
        assert (again.path, again.pod_count) == (spec.path, spec.pod_count)


def _profile(data: bytes) -> None:
    """A file or a key of a ConfigMap, of one or several documents."""
    try:
        documents = parse_documents(data)
    except InvalidInputError as error:
        _require_readable(error)
        return
    for document in documents:
        _require_lines(document.warnings)
        rendered = render_profile(document.profile)
        assert rendered.isascii()
        (again,) = parse_documents(rendered)
        assert again.profile == document.profile
        assert render_profile(again.profile) == rendered


def _extract_framed(log: bytes) -> bytes:
    return extract_report(log, ADDRESS)


def _log(data: bytes) -> None:
    """A pod's log, in both report modes."""
    for extract in (_extract_framed, extract_plain_report):
        try:
            raw = extract(data)
        except UnusableReportError as error:
            _require_readable(error)
            continue
        if hashlib.sha256(raw).hexdigest().encode() not in data:
            assert raw in data  # the plain mode has no checksum
        assert extract_report(framed(raw), ADDRESS) == raw


def _damaged_log(data: bytes) -> None:
    """A framed report, in one log or two, that was written into, or of which something is gone.

    The first four bytes say where and how much; the rest is the report and what was written.
    """
    if len(data) < 4:
        return
    where, removed, inserted = int.from_bytes(data[:2]), data[2], data[3]
    raw, noise = data[4 + inserted :], data[4 : 4 + inserted]
    body = body_of(raw)
    middle = len(body) // 2
    for logs in ([framed(raw)], framed_parts(raw, body[:middle], body[middle:])):
        part, at = where % len(logs), where // len(logs)
        log = logs[part]
        at %= len(log) + 1
        logs[part] = log[:at] + noise + log[at + removed :]
        read_part = dict(enumerate(logs, start=1)).__getitem__
        try:
            extracted = extract_report(logs[0], ADDRESS, read_part)
        except UnusableReportError as error:
            _require_readable(error)
            assert logs[part] != log
        else:
            assert extracted == raw


def _report(data: bytes) -> None:
    """A report as kperf, or what calls itself kperf, wrote it."""
    assert _same(_document(parse_document, data), _document(parse_json_object, data))
    try:
        report = parse_report(data)
    except UnusableReportError as error:
        _require_readable(error)
        return
    outcome = PodOutcome(
        job="mrunners-0",
        job_index=0,
        uri="file:///load.yaml?numbers=1",
        index=0,
        pod="mrunners-0-0-abcde",
        node="node-0",
        started_at=START,
        finished_at=START + timedelta(seconds=10),
        exit_code=0,
        report=report,
    )
    merged = merge(RUN, RUN_ID, [outcome], raw=True)
    text = to_json(merged)
    json.loads(text, parse_constant=_refuse_constant)
    assert MergedReport.model_validate_json(text) == merged
    _require_lines(merged.notes)
    for finding in merged.findings:
        _require_lines((finding.text, finding.advice))


def _document(parse: Callable[[bytes], JsonObject], data: bytes) -> object:
    try:
        return parse(data)
    except UnusableReportError as error:
        return (error.problem, error.detail)


def _same(fast: object, plain: object) -> bool:
    """Whether two documents are the same; an array has numbers of any kind as doubles."""
    if isinstance(fast, np.ndarray):
        return isinstance(plain, list) and fast.tolist() == [*map(float, plain)]
    if isinstance(fast, dict) and isinstance(plain, dict):
        return fast.keys() == plain.keys() and all(_same(fast[key], plain[key]) for key in fast)
    if isinstance(fast, list) and isinstance(plain, list):
        return len(fast) == len(plain) and all(map(_same, fast, plain))
    return type(fast) is type(plain) and fast == plain


def _plan(data: bytes) -> None:
    """The plan in a tracker, which everyone with write access to ConfigMaps can edit."""
    run_id = run_id_in(data)
    try:
        plan = read_plan(RUN, {"plan.json": data.decode("utf-8", "replace")}, run_id)
    except RefusedError as error:
        _require_readable(error)
        return
    profiles = {job.profile_digest: "" for job in plan.jobs}
    written = tracker_manifest(plan, profiles)["data"]
    assert isinstance(written, dict)
    assert read_plan(RUN, written, run_id) == plan
    config_maps = assign_profiles(plan, profiles)
    for job in plan.jobs[:3]:
        config_map = config_maps[job.profile_digest]
        whole = job_manifest(plan, job, profile_config_map=config_map, tracker_uid=RUN_ID)
        json.dumps(whole, allow_nan=False).encode()


def run_id_in(data: bytes) -> str:
    """Return the run ID of a plan: that of its label too, so that the fuzzer gets past it."""
    key = b'"run_id": "'
    value = data.partition(key)[2][:36]
    return value.decode() if _LABEL.fullmatch(value) else RUN_ID


def _require_no_secret(message: str, given: str) -> None:
    assert SECRET not in message or SECRET in given, f"a password is shown: {message}"


def _require_readable(error: MrunnersError) -> None:
    lines = str(error).split("\n")
    assert len(lines) <= _MAX_LINES, f"{len(lines)} lines"
    _require_lines(lines)


def _require_lines(lines: object) -> None:
    assert isinstance(lines, (list, tuple))
    for line in lines:
        assert line.isprintable(), f"not printable: {line!r}"
        assert len(line) <= _MAX_LINE_CHARACTERS, f"{len(line)} characters: {line[:200]}"


def _refuse_constant(name: str) -> None:
    raise AssertionError(f"the merged report has {name}")


TARGETS: Final = MappingProxyType(
    {
        "uri": _uri,
        "profile": _profile,
        "log": _log,
        "damaged-log": _damaged_log,
        "report": _report,
        "plan": _plan,
    }
)
"""The targets, by name."""
