"""Framed reports as the runner's script writes them into a pod's log."""

from __future__ import annotations

import base64
import gzip
import hashlib

from mrunners.reports.frame import FrameAddress

RUN_ID = "0b6a1e5e-8f43-5f1b-9a53-0d0f8a3f1c11"
ADDRESS = FrameAddress(run_id=RUN_ID, job="mrunners-1", index=2, pod="mrunners-1-2-abcde")


def begin_line(raw: bytes, body: bytes, **changes: object) -> bytes:
    """Return the begin line of a report; `changes` replace its fields."""
    fields: dict[str, object] = {
        "run": ADDRESS.run_id,
        "job": ADDRESS.job,
        "index": ADDRESS.index,
        "pod": ADDRESS.pod,
        "bytes": len(raw),
        "sha256": hashlib.sha256(raw).hexdigest(),
        "encoding": "gzip+base64",
        "encoded": len(body),
    }
    fields.update(changes)
    return b"mrunners-report begin v1 " + _written(fields)


def part_fields(body: bytes, number: int, count: int) -> bytes:
    """Return what the begin line of a part has after the fields of the whole report."""
    fields = {
        "part": f"{number}/{count}",
        "part-encoded": len(body),
        "part-sha256": hashlib.sha256(body).hexdigest(),
    }
    return b" " + _written(fields)


def framed_parts(raw: bytes, *bodies: bytes) -> list[bytes]:
    """Return the logs of a report in parts.

    Args:
        raw: The report.
        *bodies: The parts of its base64 text.
    """
    whole, count = b"".join(bodies), len(bodies)
    return [
        b"\n".join(
            [
                b"",
                begin_line(raw, whole) + part_fields(body, number, count),
                *folded(body),
                end_line(raw, part=f"{number}/{count}"),
                b"",
            ]
        )
        for number, body in enumerate(bodies, start=1)
    ]


def end_line(raw: bytes, **changes: object) -> bytes:
    """Return the end line of a report; `changes` replace its fields."""
    fields: dict[str, object] = {
        "run": ADDRESS.run_id,
        "job": ADDRESS.job,
        "index": ADDRESS.index,
        "sha256": hashlib.sha256(raw).hexdigest(),
    }
    fields.update(changes)
    return b"mrunners-report end v1 " + _written(fields)


def _written(fields: dict[str, object]) -> bytes:
    return " ".join(f"{key}={value}" for key, value in fields.items()).encode()


def body_of(raw: bytes) -> bytes:
    """Return a report's base64 text, not yet in lines."""
    return base64.b64encode(gzip.compress(raw, mtime=0))


def folded(body: bytes, width: int = 4000) -> list[bytes]:
    """Return the lines of a frame's body."""
    return [body[start : start + width] for start in range(0, len(body), width)]


def framed(raw: bytes, *, body: bytes | None = None, **changes: object) -> bytes:
    """Return a log with one frame; `changes` replace fields of the begin line only."""
    body = body_of(raw) if body is None else body
    lines = [b"", begin_line(raw, body, **changes), *folded(body), end_line(raw), b""]
    return b"\n".join(lines)
