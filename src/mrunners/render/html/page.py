"""Fill the page's template: the only place where text becomes HTML.

The page can neither load nor send anything: its content security policy allows its own style and
script by their hashes, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mrunners.formatting import counted
from mrunners.render.html.failures import failures
from mrunners.render.html.headline import headline
from mrunners.render.html.latencies import latency
from mrunners.render.html.missing import explanations, missing_table
from mrunners.render.html.nodes import nodes
from mrunners.render.html.plots.svg import plot_settings
from mrunners.render.html.pods import pods_table, timeline
from mrunners.render.html.runners import (
    profile_texts,
    runners_table,
    throughput_table,
)
from mrunners.render.html.tables import column_rules
from mrunners.render.run_details import run_details
from mrunners.reports.analysis.finding import Severity
from mrunners.reports.merged import MergedReport
from mrunners.reports.slo import SloStatus
from mrunners.reports.traffic import describe_traffic
from mrunners.text import printable

__all__ = ["render_html"]

# A finding or note may quote keys and node names of any length, which others chose.
_LINE_CHARACTERS = 1000

# Between the parts of a path.
_PARTS = re.compile(r"(?<=[^\s/?&<])(?=[/?&])")

# Names that begin with a small letter wherever they stand.
_NAMES = {"kperf", "kubectl", "mrunners"}

# The name of each severity, and its tone.
_SEVERITIES: Mapping[Severity, tuple[str, str]] = {
    Severity.ERROR: ("Error", "bad"),
    Severity.WARNING: ("Warning", "warn"),
    Severity.INFO: ("Note", ""),
}


_STATUSES: Mapping[SloStatus, tuple[str, str]] = {
    SloStatus.MET: ("Met", "good"),
    SloStatus.VIOLATED: ("Violated", "bad"),
    SloStatus.NOT_ENOUGH_DATA: ("Not enough data", "bad"),
}


def render_html(report: MergedReport) -> str:
    """Return the report as one HTML file, which opens offline, with or without JavaScript.

    Args:
        report: The merged report; its strings may be hostile. `latencies_by_url` is not read.

    Returns:
        The same text for the same report, on every machine.
    """
    environment = Environment(
        loader=PackageLoader("mrunners.render.html", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = _breakable
    tables = {
        "missing": missing_table(report),
        "pods": pods_table(report),
        "runners": runners_table(report),
        "throughput": throughput_table(report),
    }
    with plot_settings():
        of_latency, of_nodes, of_failures = latency(report), nodes(report), failures(report)
        others = (of_latency.table, of_nodes.table, of_failures.table)
        style = _asset("page.css") + column_rules([*tables.values(), *others])
        script = _asset("page.js")
        return environment.get_template("page.html.j2").render(
            policy=_policy(style, script),
            # Files and labels of this package, which contain nothing of the report.
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            headline=headline(report),
            objectives=[
                {
                    "status": _STATUSES[result.status][0],
                    "tone": _STATUSES[result.status][1],
                    "objective": printable(result.objective, _LINE_CHARACTERS),
                    "detail": printable(result.detail, _LINE_CHARACTERS),
                }
                for result in report.objectives
            ],
            findings=_findings(report),
            notes=[_sentence(printable(note, _LINE_CHARACTERS)) for note in report.notes],
            coverage=report.coverage,
            explanations=explanations(report),
            latency=of_latency,
            nodes=of_nodes,
            timeline=timeline(report),
            failures=of_failures,
            schema=report.schema_name,
            run=printable(report.run, 80),
            own_load=_own_load(report),
            details=run_details(report.provenance),
            profiles=profile_texts(report),
            **tables,
        )


def _own_load(report: MergedReport) -> str:
    """Return what mrunners itself sent to the cluster; empty where that is not known."""
    if report.traffic_by_us is not None:
        return f"{describe_traffic(report.traffic_by_us)}, by mrunners itself"
    if report.requests_by_us is not None:  # of an earlier release
        return f"{counted(report.requests_by_us, 'API request')} by mrunners itself"
    return ""


def _findings(report: MergedReport) -> list[dict[str, str]]:
    return [
        {
            "severity": _SEVERITIES[finding.severity][0],
            "tone": _SEVERITIES[finding.severity][1],
            "text": _sentence(printable(finding.text, _LINE_CHARACTERS)),
            "advice": _sentence(printable(finding.advice, _LINE_CHARACTERS)),
        }
        for finding in report.findings
    ]


def _breakable(text: str) -> Markup:
    """Return a text that a narrow column breaks before a slash or a parameter of a path."""
    return Markup("<wbr>").join(_PARTS.split(text))


def _sentence(text: str) -> str:
    """Return a text that begins with a capital letter, unless it begins with a name."""
    first = text.partition(" ")[0]
    is_word = first.isascii() and first.isalpha() and first.islower()
    return text if not is_word or first in _NAMES else text[0].upper() + text[1:]


def _asset(name: str) -> str:
    return (resources.files("mrunners.render.html") / "assets" / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Return the page's policy, whose hashes are of the elements' exact text (CSP 3)."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
