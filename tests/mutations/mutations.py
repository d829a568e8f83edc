"""Small changes to the product that each break its promise, and the tests that must notice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["MUTATIONS", "Mutation", "apply_mutation"]


@dataclass(frozen=True)
class Mutation:
    """One wrong change.

    Attributes:
        name: What the product then does.
        path: The file, from the repository's root.
        old: The text that is replaced; the file must have it exactly once.
        new: The text that replaces it.
        tests: The files or tests of which at least one must fail.
    """

    name: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]


def apply_mutation(mutation: Mutation, root: Path) -> None:
    """Change a copy of the repository.

    Raises:
        ValueError: The code has moved on, so that the mutation has to be written again.
    """
    path = root / mutation.path
    text = path.read_text()
    if (count := text.count(mutation.old)) != 1:
        raise ValueError(
            f"{mutation.name}: {mutation.path} has the text {count} times: {mutation.old!r}"
        )
    path.write_text(text.replace(mutation.old, mutation.new))


_BROKEN_LOGS = "tests/unit/reports/test_frame.py::test_a_broken_log_is_refused_with_its_own_reason"

MUTATIONS = (
    Mutation(
        "skip the checksum of a frame",
        "src/mrunners/reports/frame_body.py",
        "if hashlib.sha256(raw).hexdigest() != begin.sha256:",
        "if False:",
        (_BROKEN_LOGS,),
    ),
    Mutation(
        "skip the checksum of a stored report",
        "src/mrunners/run/report_store.py",
        "return (raw, facts) if hashlib.sha256(raw).hexdigest() == facts.sha256 else None",
        "return (raw, facts)",
        ("tests/unit/run/test_report_store.py",),
    ),
    Mutation(
        "merge a report of which the middle is missing",
        "src/mrunners/reports/frame_body.py",
        "if len(text) < announced:",
        "if False:",
        (_BROKEN_LOGS,),
    ),
    Mutation(
        "merge a foreign frame",
        "src/mrunners/reports/frame.py",
        "    if foreign:\n",
        "    if False:\n",
        (_BROKEN_LOGS,),
    ),
    Mutation(
        "merge one of two frames",
        "src/mrunners/reports/frame.py",
        "if len(begins) > 1 or len(ends) > 1 or len(notices) > 1 or (",
        "if False and (",
        (_BROKEN_LOGS,),
    ),
    Mutation(
        "create a Job again when it is gone together with its tracker",
        "src/mrunners/run/create.py",
        "            _require_tracker(cluster, plan, planned, tracker_uid)\n",
        "            pass\n",
        ("tests/unit/run/test_create.py",),
    ),
    Mutation(
        "adopt a Job of another run",
        "src/mrunners/run/create.py",
        "job.run_id == plan.run_id\n        and ",
        "",
        ("tests/unit/run/test_create.py",),
    ),
    Mutation(
        "adopt a Job with another spec",
        "src/mrunners/run/create.py",
        "        and job.digest == digest\n",
        "",
        ("tests/unit/run/test_create.py",),
    ),
    Mutation(
        "adopt a Job that is being deleted",
        "src/mrunners/run/create.py",
        "        and not job.deleting\n",
        "",
        ("tests/unit/run/test_create.py",),
    ),
    Mutation(
        "start over the remains of a deleted run",
        "src/mrunners/run/create.py",
        "wait_until_deleted(cluster, plan.namespace, runner_selector(plan.tracker), observer)",
        "pass",
        ("tests/unit/run/test_create.py",),
    ),
    Mutation(
        "delete whatever has the tracker's name",
        "src/mrunners/kube/client.py",
        '            "preconditions": {"uid": uid},\n',
        "",
        ("tests/unit/kube/test_client.py",),
    ),
    Mutation(
        "mark whatever has the tracker's name",
        "src/mrunners/kube/client.py",
        '{"metadata": {"uid": uid, "annotations": dict(annotations)}}',
        '{"metadata": {"annotations": dict(annotations)}}',
        ("tests/unit/kube/test_client.py",),
    ),
    Mutation(
        "take a conflict over a quota for a Job that exists",
        "src/mrunners/kube/responses.py",
        'if (info.verb, status, reason) != ("create", 409, "Conflict"):',
        "if True:",
        ("tests/unit/kube/test_client.py", "tests/unit/kube/test_responses.py"),
    ),
    Mutation(
        "give up when etcd does not answer",
        "src/mrunners/kube/responses.py",
        "500, 502, 503, 504",
        "500, 502, 503",
        ("tests/unit/kube/test_client.py", "tests/unit/kube/test_responses.py"),
    ),
    Mutation(
        "delete a run that was not collected",
        "src/mrunners/run/delete.py",
        "if not force and not (run.state.finished and run.collected):",
        "if not force and not run.state.finished:",
        ("tests/unit/run/test_delete.py",),
    ),
    Mutation(
        "mark a run as collected while a log may still be read",
        "src/mrunners/run/result.py",
        "        MissingReason.LOG_UNAVAILABLE,\n        MissingReason.LOG_FORBIDDEN,\n",
        "",
        ("tests/unit/run/test_result.py",),
    ),
    Mutation(
        "call a Job finished whose condition is not true yet",
        "src/mrunners/kube/objects.py",
        'and condition["status"] == "True":',
        "or True:",
        ("tests/unit/kube/test_objects.py",),
    ),
    Mutation(
        "judge a run by the Jobs that exist",
        "src/mrunners/status/run_state.py",
        "JobState(job, by_name.get(job.name)) for job in plan.jobs)",
        "JobState(job, by_name[job.name]) for job in plan.jobs if job.name in by_name)",
        ("tests/unit/status/test_run_state.py",),
    ),
)
