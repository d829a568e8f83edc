"""The README shows what the code prints, and has one pipeline that is a whole file."""

from __future__ import annotations

import ast
import math
import re
from pathlib import Path
from statistics import NormalDist

from mrunners.render.terminal.report_table import render_table
from mrunners.reports.analysis.throughput import TargetLoad
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport
from mrunners.reports.outcomes import MissingReason, PodOutcome
from tests.factories import RUN, RUN_ID, flat, merged_pod, missing_pod

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
FIRST_SECTION = README.partition("\n## ")[0]
PYTHON = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)

LIST = "LIST https://10.0.0.1:6443/api/v1/pods?limit=500"
GET = "GET https://10.0.0.1:6443/api/v1/namespaces/default"


def report() -> MergedReport:
    """Return a report with a slow node and a pod that was evicted."""
    pods = [_pod(index, slowdown=4.0 if index == 3 else 1.0) for index in range(6)]
    evicted = "evicted: the node was low on resource: memory"
    pods[5] = missing_pod(0, 5, MissingReason.DISRUPTED, evicted)
    return merge(RUN, RUN_ID, pods, targets={"mrunners-0": TargetLoad(100.0, 20)})


def _pod(index: int, *, slowdown: float) -> PodOutcome:
    """Return a pod that sent 100 requests per second for two minutes."""
    samples = {
        LIST: [slowdown * second for second in _latencies(0.042, 0.35, 3_000)],
        GET: [slowdown * second for second in _latencies(0.0028, 0.3, 9_000)],
    }
    document = flat(samples, duration="2m0s", received=310_000_000)
    return merged_pod(0, index, document, uri="configmap:///load/mixed?numbers=6", lasting=120)


def _latencies(median: float, spread: float, count: int) -> list[float]:
    """Return the quantiles of a lognormal distribution, which latencies resemble."""
    normal = NormalDist()
    return [
        median * math.exp(spread * normal.inv_cdf((rank + 0.5) / count)) for rank in range(count)
    ]


def test_the_excerpt_is_what_the_code_prints() -> None:
    (excerpt,) = re.findall(r"(?:^    .*\n|^\n(?=    ))+", FIRST_SECTION, re.MULTILINE)
    lines = re.sub(r"^    ", "", excerpt.strip("\n"), flags=re.MULTILINE)
    assert f"\n{lines}\n" in f"\n{render_table(report())}"


def test_a_newcomer_with_a_cluster_comes_before_the_demo() -> None:
    headings = re.findall(r"^## (.*)$", README, re.MULTILINE)
    assert headings[:2] == ["You have a cluster", "You have no cluster: the demo"]


def test_the_one_python_block_is_a_whole_program() -> None:
    (pipeline,) = PYTHON
    module = ast.parse(pipeline)
    assert ast.unparse(module.body[-1]).startswith("if __name__ == '__main__':")
    imported = {
        (node.module, name.name)
        for node in module.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    assert imported == {
        ("prefect", "flow"),
        ("mrunners", "RunOptions"),
        ("mrunners_flows", "RunPolicy"),
        ("mrunners_flows", "multirunners"),
    }
