"""The words in which findings tell lists, counts, shares and rates.

It must not know what they are about.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["counted", "named", "percent", "rate"]

# A finding is a sentence: the worst ones are named, the report has them all.
_NAMED = 3


def named(texts: Sequence[str]) -> str:
    """`a, b, c and 4 more`."""
    more = len(texts) - _NAMED
    return ", ".join(texts[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def counted(count: int, what: str) -> str:
    """`1 pod`, `1,200 pods`."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def percent(share: float) -> str:
    """`42%`, `4.2%`, `<0.1%`."""
    value = share * 100
    return f"{value:.0f}%" if value >= 10 else f"{value:.1f}%" if value >= 0.1 else "<0.1%"


def rate(per_second: float) -> str:
    """`20.1`, `1,234`."""
    return f"{per_second:,.1f}" if per_second < 100 else f"{per_second:,.0f}"
