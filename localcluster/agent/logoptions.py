"""What a request for logs asks for, and what that leaves of a log file; it must not read files.

The rules are the kubelet's (k8s.io/kubelet/pkg/cri/streaming... logs.go): `tailLines` counts
entries of the file, parts of long lines too; `limitBytes` counts the timestamps as well.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

__all__ = ["LogOptions", "LogView", "parse_options"]


@dataclass(frozen=True)
class LogOptions:
    """The query of one request."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    # Lines before this moment (seconds since the epoch) are left out.
    since: float | None = None
    stream: str = "All"


def parse_options(query: Mapping[str, str], now: float) -> LogOptions:
    """The options in a query.

    Args:
        query: as the apiserver passes it on.
        now: seconds since the epoch, for sinceSeconds.
    Raises: ValueError: a number is none, or negative.
    """

    def number(name: str, least: int) -> int | None:
        if query.get(name, "") == "":
            return None
        value = int(query[name])
        if value < least:
            raise ValueError(f"{name}: must be at least {least}")
        return value

    seconds = number("sinceSeconds", 1)
    since = now - seconds if seconds is not None else None
    if query.get("sinceTime"):
        since = datetime.fromisoformat(query["sinceTime"]).timestamp()
    stream = query.get("stream") or "All"
    if stream not in {"All", "Stdout", "Stderr"}:
        raise ValueError(f"stream: {stream!r} is neither All, Stdout nor Stderr")
    truths = {"true", "1", "True"}
    return LogOptions(
        follow=query.get("follow") in truths,
        previous=query.get("previous") in truths,
        timestamps=query.get("timestamps") in truths,
        tail_lines=number("tailLines", 0),
        limit_bytes=number("limitBytes", 1),
        since=since,
        stream=stream,
    )


class LogView:
    """Turns raw entries into what the client sees, as long as its limit lasts."""

    def __init__(self, options: LogOptions) -> None:
        self._options = options
        self._left = options.limit_bytes
        self._line_begins = True

    @property
    def full(self) -> bool:
        """Whether the limit is reached."""
        return self._left == 0

    def tail(self, entries: list[bytes]) -> list[bytes]:
        """The last entries that were asked for.

        Args:
            entries: whole lines of the file, without their newline.
        """
        count = self._options.tail_lines
        return entries if count is None else entries[len(entries) - min(count, len(entries)) :]

    def show(self, entries: Iterable[bytes]) -> Iterator[bytes]:
        """The text of entries, cut at the limit.

        Args:
            entries: whole lines of the file, without their newline.
        """
        for entry in entries:
            if self.full:
                return
            text = self._text(entry)
            if self._left is not None:
                text = text[: self._left]
                self._left -= len(text)
            if text:
                yield text

    def _text(self, entry: bytes) -> bytes:
        stamp, stream, tag, content = entry.split(b" ", 3)
        if self._options.stream != "All" and stream.decode() != self._options.stream.lower():
            return b""
        if self._options.since is not None and _seconds(stamp) < self._options.since:
            return b""
        prefix = stamp + b" " if self._options.timestamps and self._line_begins else b""
        self._line_begins = tag == b"F"
        return prefix + content + (b"\n" if tag == b"F" else b"")


def _seconds(stamp: bytes) -> float:
    whole, _, fraction = stamp.decode().rstrip("Z").partition(".")
    return datetime.fromisoformat(whole + "+00:00").timestamp() + float(f"0.{fraction or 0}")
