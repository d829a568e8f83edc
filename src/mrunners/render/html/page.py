"""Fill the page: the only place where text becomes HTML.

It must not let the page load or send anything: its policy allows its own style and script by
their hash, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mrunners.render.html.headline import headline
from mrunners.render.html.latencies import errors_table, latency
from mrunners.render.html.nodes import nodes
from mrunners.render.html.plots.svg import own_settings
from mrunners.render.html.runners import (
    missing_table,
    pods_table,
    runners_table,
    throughput_table,
    timeline,
)
from mrunners.reports.analysis.finding import Severity
from mrunners.reports.merged import MergedReport
from mrunners.text import printable

__all__ = ["render_html"]

# A line may quote keys or nodes that somebody made up.
_LINE_CHARACTERS = 1000

# What a severity is called, and the tone it is shown in.
_SEVERITIES: Mapping[Severity, tuple[str, str]] = {
    Severity.ERROR: ("Error", "bad"),
    Severity.WARNING: ("Warning", "warn"),
    Severity.INFO: ("Note", ""),
}


def render_html(report: MergedReport) -> str:
    """The report as one HTML file.

    Args:
        report: the merged report; its strings may be hostile, and `latencies_by_url` is not read.
    Returns: the same text for the same report; it opens offline, with or without JavaScript.
    """
    environment = Environment(
        loader=PackageLoader("mrunners.render.html", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = _asset("page.css"), _asset("page.js")
    with own_settings():
        return environment.get_template("page.html.j2").render(
            policy=_policy(style, script),
            # Ours, shipped with the package, and never a word of the report's.
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            headline=headline(report),
            findings=_findings(report),
            notes=[printable(note, _LINE_CHARACTERS) for note in report.notes],
            coverage=report.coverage,
            missing=missing_table(report),
            latency=latency(report),
            nodes=nodes(report),
            timeline=timeline(report),
            pods=pods_table(report),
            errors=errors_table(report),
            runners=runners_table(report),
            throughput=throughput_table(report),
            schema=report.schema_name,
            run=printable(report.run, 80),
            requests_by_us=report.requests_by_us,
        )


def _findings(report: MergedReport) -> list[dict[str, str]]:
    return [
        {
            "severity": _SEVERITIES[finding.severity][0],
            "tone": _SEVERITIES[finding.severity][1],
            "text": printable(finding.text, _LINE_CHARACTERS),
            "advice": printable(finding.advice, _LINE_CHARACTERS),
        }
        for finding in report.findings
    ]


def _asset(name: str) -> str:
    return (resources.files("mrunners.render.html") / "assets" / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """https://www.w3.org/TR/CSP3/: hashes are of the elements' exact text."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
