"""The public API, pinned: a change here is a change that users see, so CHANGELOG.md reports it."""

import importlib
import subprocess
import sys

import pytest

PUBLIC = {
    "mrunners": [
        "AdvancedOptions",
        "ClusterRef",
        "Conclusion",
        "Connection",
        "FailOn",
        "MergedReport",
        "Run",
        "RunObserver",
        "RunOptions",
        "RunRef",
        "RunSnapshot",
        "connect",
        "errors",
    ],
    "mrunners_flows": [
        "ReportFiles",
        "RunFailedError",
        "RunInDoubtError",
        "RunIncompleteError",
        "RunOutcome",
        "RunPolicy",
        "RunSloViolatedError",
        "RunTarget",
        "delete",
        "multirunners",
        "result",
        "wait",
    ],
    "mrunners_tasks": [
        "collect_reports",
        "create_jobs",
        "create_tracker",
        "find_run",
        "load_profiles",
        "merge_reports",
        "parse_runners",
        "read_pods",
        "save_report",
        "wait_for_jobs",
    ],
}
HEAVY = ("kubernetes", "prefect", "pydantic")


@pytest.mark.parametrize("package", PUBLIC)
def test_the_public_names_are_these(package: str) -> None:
    assert sorted(importlib.import_module(package).__all__) == PUBLIC[package]


@pytest.mark.parametrize(
    ("package", "name"), [(p, n) for p, names in PUBLIC.items() for n in names]
)
def test_every_public_name_can_be_imported_and_is_documented(package: str, name: str) -> None:
    module = importlib.import_module(package)
    value = getattr(module, name)
    assert value.__doc__
    assert name in dir(module)


@pytest.mark.parametrize("package", PUBLIC)
def test_importing_a_package_imports_nothing_heavy(package: str) -> None:
    assert imported(package, HEAVY) == "[]\n"


def test_who_only_looks_at_a_run_imports_nothing_that_reads_reports_or_plans_runs() -> None:
    others = ("matplotlib", "numpy", "prefect", "mrunners.plan.options", "mrunners.run.wait")
    modules = "mrunners_cli.commands.status, mrunners_cli.output, mrunners.connection"
    assert imported(modules, others) == "[]\n"


def imported(modules: str, others: tuple[str, ...]) -> str:
    """Import modules in a new process; return which of the others are imported then."""
    script = f"import sys, {modules}; print([name for name in {others} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("package", PUBLIC)
def test_a_name_that_does_not_exist_is_an_attribute_error(package: str) -> None:
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'RunOption'"):
        importlib.import_module(package).RunOption  # noqa: B018
