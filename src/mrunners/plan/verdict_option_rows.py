"""The rows of the table of options that say when a run fails whose reports are all merged."""

from __future__ import annotations

from typing import Final

from mrunners.plan.option_row import Option
from mrunners.reports.conclusion import FailOn
from mrunners.reports.slo_presets import MAX_CHARACTERS

__all__ = ["VERDICT_ROWS"]

VERDICT_ROWS: Final = (
    Option(
        name="slo",
        title="Objectives",
        help="What the report must show, such as 'p99 < 1s', 'LIST pods: p99 < 5s', "
        "'errors < 0.1%', 'throughput >= 95%' or 'coverage = 100%'; kubernetes stands for the "
        "official ones of SIG Scalability. One that is violated or cannot be judged fails the run.",
        default=(),
        schema={"maxItems": 100, "items": {"type": "string", "maxLength": MAX_CHARACTERS}},
        metavar="OBJECTIVE",
        multiple=True,
        blanks=True,
        planned=True,
    ),
    Option(
        name="fail_on",
        title="Fail on findings",
        help="Fail, although all reports are merged, on findings of this severity or a worse one. "
        "error: the figures are not about the configured load; warning: they need a second look; "
        "never: findings do not fail the run.",
        default=FailOn.ERROR,
        choices=tuple(FailOn),
    ),
)
