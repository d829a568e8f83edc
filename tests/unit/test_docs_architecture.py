"""docs/architecture.md and CONTRIBUTING.md name what the repository has, and nothing else."""

from __future__ import annotations

import inspect
import re
import textwrap
from pathlib import Path

import pytest

import mrunners
from mrunners import MergedReport, RunOptions
from mrunners.kube.objects import Job
from mrunners.plan.metadata import Manifest
from mrunners.plan.tracker import read_plan
from mrunners.refs import RunRef
from tests.fakes import FakeCluster
from tests.unit.env import IMAGE, log_of, profile
from tests.unit.repository import ROOT, repository_files

ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

FOLDERS = sorted(
    {path.relative_to(ROOT).parts[0] for path in repository_files() if path.parent != ROOT}
)
TEST_FOLDERS = sorted(
    path.relative_to(ROOT).as_posix() for path in ROOT.glob("tests/*/") if any(path.glob("*.py"))
)

SOURCES = {"mrunners": "src", "mrunners_cli": "src", "mrunners_tasks": "tasks"}
SOURCES["mrunners_flows"] = "flows"
PACKAGES = sorted(
    init.parent.relative_to(ROOT / folder).as_posix()
    for name, folder in SOURCES.items()
    for init in (ROOT / folder / name).rglob("__init__.py")
)

# In backticks, from the root of the repository, and without placeholders.
PATH = re.compile(
    r"`((?:src|tasks|flows|tests|docs|dev|deploy|examples|benchmarks|localcluster)/[\w./-]+)`"
)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_described(package: str) -> None:
    name = package.removeprefix("mrunners/")
    assert f"`{name}`" in ARCHITECTURE.partition("\n## Packages\n")[2]


@pytest.mark.parametrize("folder", [*FOLDERS, *TEST_FOLDERS])
def test_every_folder_is_on_the_map(folder: str) -> None:
    rows = [line for line in CONTRIBUTING.splitlines() if line.startswith("| `")]
    assert any(f"`{folder}/`" in row.split("|")[1] for row in rows)


@pytest.mark.parametrize("page", [ARCHITECTURE, CONTRIBUTING], ids=["architecture", "contributing"])
def test_every_path_exists(page: str) -> None:
    paths = PATH.findall(page)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    broken = []
    for target, anchor in LINK.findall(page.read_text("utf-8")):
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            broken.append(f"{target}#{anchor}")
    assert broken == []


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


class _FinishingCluster(FakeCluster):
    """A cluster whose pods succeed at once, and whose garbage collector does not wait."""

    def create_job(self, namespace: str, manifest: Manifest) -> Job | None:
        job = super().create_job(namespace, manifest)
        tracker = self.get_config_map(namespace, "mrunners")
        assert job is not None
        assert tracker is not None
        assert tracker.run_id is not None
        plan = read_plan(RunRef(namespace, "mrunners"), tracker.data, tracker.run_id)
        for index in range(2):
            self.end_pod(job.name, index, log=log_of(plan, job.name, index))
        self.finish_job(job.name)
        return job

    def delete_config_map(self, namespace: str, name: str, uid: str) -> bool:
        deleted = super().delete_config_map(namespace, name, uid)
        self.collect_garbage()
        return deleted


def run_without_prefect(options: RunOptions) -> MergedReport:
    with mrunners.connect() as cluster:
        run = cluster.start(options)
        run.wait(timeout=600).require_complete()
        report = run.collect()
        run.delete()
    return report


def test_the_example_without_prefect_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    section = ARCHITECTURE.partition("\n## Without Prefect\n")[2].partition("\n## ")[0]
    (example,) = re.findall(r"\n\n((?:    .+\n)+)", section)
    assert textwrap.dedent(example) in textwrap.dedent(
        inspect.getsource(run_without_prefect).partition("\n")[2]
    )
    cluster = _FinishingCluster()
    cluster.put(
        {
            "kind": "ConfigMap",
            "metadata": {"name": "mixed", "namespace": "load"},
            "data": {"load_profile.yaml": profile()},
        }
    )
    monkeypatch.setattr("mrunners.connection.KubernetesCluster", lambda *_, **__: cluster)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    report = run_without_prefect(
        RunOptions(
            namespace="load", runner_image=IMAGE, runners=["configmap:///load/mixed?numbers=2"]
        )
    )
    assert report.verdict == "2 of 2 reports merged"
    assert (cluster.names("ConfigMap"), cluster.names("Job")) == (["mixed"], [])
