"""Writes to stderr what people read there.

It must not let a cluster's or a pod's words steer the terminal.
"""

from __future__ import annotations

import click

__all__ = ["say"]

# A line of ours has a URL and a message of the API server at most.
LONGEST_LINE = 4000


def say(text: str) -> None:
    """Print a text of one line or several."""
    # Not at the top: `--help` needs none of it.
    from mrunners.reports.plain_text import plain_text

    click.echo("\n".join(plain_text(line, LONGEST_LINE) for line in text.split("\n")), err=True)
