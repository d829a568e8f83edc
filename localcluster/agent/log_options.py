"""The options of a log request, and their effect on the entries of a log file.

The rules are those of the kubelet (k8s.io/cri-client/pkg/logs/logs.go): `tailLines` counts entries
of the file, including parts of long lines; `limitBytes` counts timestamps as well.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

__all__ = ["LogFilter", "LogOptions", "parse_options"]


@dataclass(frozen=True)
class LogOptions:
    """The query of one request."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    # Seconds since the epoch; earlier lines are omitted.
    since: float | None = None
    stream: str = "All"


def parse_options(query: Mapping[str, str], now: float) -> LogOptions:
    """Return the options in a query.

    Args:
        query: As the apiserver passes it on.
        now: Seconds since the epoch, for sinceSeconds.

    Raises:
        ValueError: An option has an invalid value.
    """

    def number(name: str, minimum: int) -> int | None:
        if query.get(name, "") == "":
            return None
        value = int(query[name])
        if value < minimum:
            raise ValueError(f"{name}: must be at least {minimum}")
        return value

    seconds = number("sinceSeconds", 1)
    since = now - seconds if seconds is not None else None
    if query.get("sinceTime"):
        since = datetime.fromisoformat(query["sinceTime"]).timestamp()
    stream = query.get("stream") or "All"
    if stream not in {"All", "Stdout", "Stderr"}:
        raise ValueError(f"stream: must be All, Stdout or Stderr, not {stream!r}")
    true_values = {"true", "1", "True"}
    return LogOptions(
        follow=query.get("follow") in true_values,
        previous=query.get("previous") in true_values,
        timestamps=query.get("timestamps") in true_values,
        tail_lines=number("tailLines", 0),
        limit_bytes=number("limitBytes", 1),
        since=since,
        stream=stream,
    )


class LogFilter:
    """Turns the entries of a log file into the text for the client."""

    def __init__(self, options: LogOptions) -> None:
        self._options = options
        self._remaining_bytes = options.limit_bytes
        self._line_begins = True

    @property
    def limit_reached(self) -> bool:
        """Whether limitBytes is used up."""
        return self._remaining_bytes == 0

    def tail(self, entries: list[bytes]) -> list[bytes]:
        """Return the last entries, as many as tailLines.

        Args:
            entries: Whole lines of the file, without their newline.
        """
        count = self._options.tail_lines
        return entries if count is None else entries[len(entries) - min(count, len(entries)) :]

    def render(self, entries: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the text of each entry, up to limitBytes in total.

        Args:
            entries: Whole lines of the file, without their newline.
        """
        for entry in entries:
            if self.limit_reached:
                return
            text = self._text(entry)
            if self._remaining_bytes is not None:
                text = text[: self._remaining_bytes]
                self._remaining_bytes -= len(text)
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
