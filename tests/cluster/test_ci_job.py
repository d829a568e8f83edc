"""The files of deploy/ci run as a CI system runs them, and leave what they promise."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import yaml

from tests.cluster.commands import CHECKOUT
from tests.cluster.env import KPERF, Env

CI = CHECKOUT / "deploy" / "ci"
ACCOUNT = "--service-account kperf-runner"
REPORTS = {"json", "html", "md", "xml", "prom"}


def run_script(
    env: Env, script: str, variables: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run a step's script in bash, in an empty folder, with the product on PATH."""
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={**env.mrunners.environ, "PATH": programs, **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def action_step(inputs: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return the script and the variables of the action's last step, for these inputs."""
    action: Any = yaml.safe_load((CI / "action.yml").read_text())
    defaults = {name: spec.get("default", "") for name, spec in action["inputs"].items()}
    given = {**defaults, **inputs}
    required = {name for name, spec in action["inputs"].items() if spec.get("required")}
    assert required <= inputs.keys() <= action["inputs"].keys()
    step = action["runs"]["steps"][-1]
    variables = {
        name: re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda found: given[found[1]], text)
        for name, text in step["env"].items()
    }
    return step["run"], variables


def endings(folder: Path) -> set[str]:
    return {path.suffix[1:] for path in folder.iterdir()}


def test_the_action_fails_for_an_objective_and_leaves_all_reports_and_a_summary(env: Env) -> None:
    script, variables = action_step(
        {
            "namespace": env.namespace,
            "runner-image": KPERF,
            "runners": f"{env.quick(2)}\n",
            "objectives": "kubernetes\nmax < 0.001ms\n",
            "options": f"--replace {ACCOUNT}",
        }
    )
    summary = env.folder / "summary.md"
    github = {"GITHUB_ACTION_PATH": str(CI), "GITHUB_STEP_SUMMARY": str(summary)}
    done = run_script(env, script, {**variables, **github}, env.folder)
    assert done.returncode == 8, done.stderr
    reports = env.folder / "mrunners-report"
    assert endings(reports) == REPORTS
    assert summary.read_text().startswith("# 2 of 2 reports merged; ")
    assert json.loads((reports / "report.json").read_text())["total"] == 100
    failed = [
        case.attrib["name"]
        for case in ET.fromstring((reports / "report.xml").read_text()).iter("testcase")
        if case.find("failure") is not None
    ]
    assert "max < 0.001ms" in failed
    assert (reports / "report.prom").read_text().endswith("# EOF\n")
    # What a workflow starts again replaces the run before.
    again = run_script(env, script, {**variables, **github, "MRUNNERS_SLO": ""}, env.folder)
    assert again.returncode == 0, again.stderr


def test_the_gitlab_job_leaves_the_artifacts_that_it_names(env: Env) -> None:
    job: Any = yaml.safe_load((CI / "gitlab-ci.yml").read_text())["load-test"]
    folder = env.folder / "checkout"
    folder.mkdir()
    (folder / "mrunners").symlink_to(CHECKOUT)
    variables = {
        **job["variables"],
        "MRUNNERS_NAMESPACE": env.namespace,
        "MRUNNERS_RUNNER_IMAGE": KPERF,
        "MRUNNERS_RUNNERS": env.quick(2),
        "MRUNNERS_SERVICE_ACCOUNT": "kperf-runner",
        "MRUNNERS_SLO": "coverage = 100%",
    }
    done = run_script(env, "\n".join(job["script"]), variables, folder)
    assert done.returncode == 0, done.stderr
    artifacts = job["artifacts"]
    for path in (*artifacts["paths"], *artifacts["reports"].values()):
        assert (folder / path).exists(), path


def test_a_run_that_is_refused_leaves_its_exit_code_and_no_report(env: Env) -> None:
    script, variables = action_step(
        {"namespace": env.namespace, "runner-image": KPERF, "runners": "file:///absent?numbers=1"}
    )
    github = {"GITHUB_ACTION_PATH": str(CI)}
    done = run_script(env, script, {**variables, **github}, env.folder)
    assert done.returncode == 2
    assert "absent" in done.stderr
    assert endings(env.folder / "mrunners-report") == set()
