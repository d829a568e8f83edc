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
        "if hashlib.sha256(raw).hexdigest() != facts.sha256:",
        "if False:",
        ("tests/unit/run/test_report_store.py",),
    ),
    Mutation(
        "read the samples of another request from the file",
        "src/mrunners/reports/latency_column.py",
        "self._position = file.append(seconds)",
        "file.append(seconds)",
        ("tests/unit/reports/test_latency_column.py", "tests/unit/run/test_spill_file.py"),
    ),
    Mutation(
        "merge an array within the latencies of a request",
        "src/mrunners/reports/columnar_json.py",
        "if reader.brackets != ",
        "if False and reader.brackets != ",
        ("tests/unit/reports/test_columnar_json.py",),
    ),
    Mutation(
        "merge one of two values of the same key",
        "src/mrunners/reports/columnar_json.py",
        "if len(set(keys)) != len(keys) or ",
        "if ",
        ("tests/unit/reports/test_columnar_json.py",),
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
        "src/mrunners/run/create_job.py",
        "            _require_tracker(cluster, plan, planned, tracker_uid)\n",
        "            pass\n",
        ("tests/unit/run/test_create.py",),
    ),
    Mutation(
        "adopt a Job of another run",
        "src/mrunners/run/create_job.py",
        "job.run_id == plan.run_id\n        and ",
        "",
        ("tests/unit/run/test_create.py",),
    ),
    Mutation(
        "adopt a Job with another spec",
        "src/mrunners/run/create_job.py",
        "        and job.digest == digest\n",
        "",
        ("tests/unit/run/test_create.py",),
    ),
    Mutation(
        "adopt a Job that is being deleted",
        "src/mrunners/run/create_job.py",
        "        and not job.deleting\n",
        "",
        ("tests/unit/run/test_create.py",),
    ),
    Mutation(
        "start over the remains of a deleted run",
        "src/mrunners/run/create_tracker.py",
        "wait_for_remaining(cluster, plan.ref, observer)",
        "pass",
        ("tests/unit/run/test_create.py",),
    ),
    Mutation(
        "delete whatever has the tracker's name",
        "src/mrunners/kube/payloads.py",
        '        "preconditions": {"uid": uid},\n',
        "",
        ("tests/unit/kube/test_client.py",),
    ),
    Mutation(
        "mark whatever has the tracker's name",
        "src/mrunners/kube/verbs.py",
        'metadata = {**body.get("metadata", {}), "uid": uid}',
        'metadata = {**body.get("metadata", {})}',
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
        "not ((ended := has_ended(cluster, run, time.sleep)) and run.collected):",
        "not (ended := has_ended(cluster, run, time.sleep)):",
        ("tests/unit/run/test_delete.py",),
    ),
    Mutation(
        "mark a run as collected while a log may still be read",
        "src/mrunners/run/finality.py",
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
        "            states.append(JobState(planned, None, gone, ended))\n",
        "            pass\n",
        ("tests/unit/status/test_run_state.py",),
    ),
    Mutation(
        "trust a pod's phase instead of its container's end",
        "src/mrunners/kube/pod.py",
        "return self.final or self.exit_code is not None",
        "return self.final",
        ("tests/unit/kube/test_objects.py",),
    ),
    Mutation(
        "call a pod failed because its sidecar failed",
        "src/mrunners/kube/pod.py",
        'return self.phase == "Succeeded" if self.exit_code is None else self.exit_code == 0',
        'return self.phase == "Succeeded"',
        ("tests/unit/kube/test_objects.py",),
    ),
    Mutation(
        "take a Job that a TTL removed for one that was never created",
        "src/mrunners/status/run_state.py",
        "gone = actual is not None or planned.index in known",
        "gone = False",
        ("tests/unit/status/test_run_state.py", "tests/unit/run/test_collect.py"),
    ),
    Mutation(
        "mark a run as collected after one bad read",
        "src/mrunners/run/fetch.py",
        "_READ_AGAIN_AFTER_SECONDS = (2.0, 5.0)",
        "_READ_AGAIN_AFTER_SECONDS = ()",
        ("tests/unit/run/test_collect.py", "tests/unit/run/test_result.py"),
    ),
    Mutation(
        "mark a run as collected while a kubelet answers with errors",
        "src/mrunners/run/finality.py",
        "        MissingReason.EMPTY_LOG,\n        MissingReason.KUBELET_ERROR,\n",
        "",
        ("tests/unit/run/test_result.py",),
    ),
    Mutation(
        "let a disruption hide a log that can still be read",
        "src/mrunners/run/root_cause.py",
        "if pod.disrupted and (without_log or not (unread or error.problem in _NOT_READ)):",
        "if pod.disrupted:",
        ("tests/unit/run/test_collect.py",),
    ),
    Mutation(
        "mark a run as collected while a pod on a lost node exists",
        "src/mrunners/run/finality.py",
        "return outcome.missing not in NOT_FINAL and not outcome.unread",
        "return outcome.missing not in NOT_FINAL",
        ("tests/unit/run/test_collect.py", "tests/unit/run/test_result.py"),
    ),
    Mutation(
        "call a pod failed because of one 400 for its log",
        "src/mrunners/run/pod_log.py",
        " or _may_have_log(pod):",
        ":",
        ("tests/unit/run/test_collect.py",),
    ),
    Mutation(
        "mark a run as collected that another machine may collect",
        "src/mrunners/run/annotate.py",
        "if unseen and not run.collected:",
        "if False:",
        ("tests/unit/run/test_result.py",),
    ),
    Mutation(
        "give up pods at the first look after an outage",
        "src/mrunners/run/snapshot.py",
        "frozenset() if first.may_finish else first.doubtful_starts",
        "frozenset()",
        ("tests/unit/run/test_result.py",),
    ),
    Mutation(
        "believe the facts of a stored report without the report",
        "src/mrunners/run/report_store.py",
        "return facts if self._read(raw_path, facts_path, address) else None",
        "return facts",
        ("tests/unit/run/test_report_store.py",),
    ),
    Mutation(
        "believe one 404 about a pod that is to be kept from starting",
        "src/mrunners/run/late_pods.py",
        "        if changed or uid in self._gone:\n",
        "        if True:\n",
        ("tests/unit/run/test_wait.py",),
    ),
    Mutation(
        "believe one 404 about a tracker",
        "src/mrunners/run/second_look.py",
        "    sleep(SECOND_LOOK_SECONDS)\n    return look()\n",
        "    return None\n",
        ("tests/unit/run/test_delete.py", "tests/unit/run/test_start.py"),
    ),
    Mutation(
        "take a run for ended because of one empty LIST",
        "src/mrunners/run/snapshot.py",
        "    return not first.may_finish and not _look_again(",
        "    return not first.may_finish or not _look_again(",
        ("tests/unit/run/test_preflight.py", "tests/unit/run/test_delete.py"),
    ),
    Mutation(
        "start a run anew whose tracker vanished before it was resumed",
        "src/mrunners/run/create_tracker.py",
        "    if resumed is None:\n",
        "    if True:\n",
        ("tests/unit/run/test_start.py",),
    ),
    Mutation(
        "believe one empty LIST",
        "src/mrunners/run/snapshot.py",
        "    if not doubtful and not _lacks_something(run, first, store):\n",
        "    if not doubtful:\n",
        ("tests/unit/run/test_result.py", "tests/unit/run/test_collect.py"),
    ),
    Mutation(
        "create a Job again that this machine has created before",
        "src/mrunners/run/create.py",
        "        if planned.name in self._noted and",
        "        if False and",
        ("tests/unit/run/test_create.py",),
    ),
    Mutation(
        "repeat a creation although a TTL may have removed the Job",
        "src/mrunners/run/create_job.py",
        "    if repeat_until is None:\n        return cluster",
        "    if True:\n        return cluster",
        ("tests/unit/run/test_create.py",),
    ),
    Mutation(
        "create a Job before its TTL is noted",
        "src/mrunners/run/create.py",
        "        if self._ttl_seconds is not None and planned == self._first:\n",
        "        if False:\n",
        ("tests/unit/run/test_create.py",),
    ),
    Mutation(
        "create Jobs beside the first one, which shows what becomes of all",
        "src/mrunners/run/create.py",
        "        while begun < len(jobs) and not self._ttl_known:\n",
        "        while False:\n",
        ("tests/unit/run/test_create.py",),
    ),
    Mutation(
        "create further Jobs after an error",
        "src/mrunners/run/parallel.py",
        "            if self._stopped or self._begun == len(self._items):\n",
        "            if self._begun == len(self._items):\n",
        ("tests/unit/run/test_parallel.py", "tests/unit/run/test_create.py"),
    ),
    Mutation(
        "take a Job that was to be created beside another for one that is gone",
        "src/mrunners/status/run_state.py",
        "    return min(actual.created_before, planned.index)\n",
        "    return planned.index\n",
        ("tests/unit/status/test_run_state.py",),
    ),
    Mutation(
        "send as many requests at once after a 429 as before",
        "src/mrunners/kube/flow_control.py",
        "max(self._limit / 2, 1.0)",
        "self._limit",
        ("tests/unit/kube/test_flow_control.py",),
    ),
    Mutation(
        "create a Job again that is being deleted although its tracker exists",
        "src/mrunners/run/create_job.py",
        "        elif existing.deleting and is_owned(existing.owners, tracker_uid):\n"
        "            return None\n",
        "",
        ("tests/unit/run/test_create.py",),
    ),
    Mutation(
        "merge a stored report of another run",
        "src/mrunners/run/report_store.py",
        "return facts if facts.address == address else None",
        "return facts",
        ("tests/unit/run/test_report_store.py",),
    ),
    Mutation(
        "take any JSON for an empty list",
        "src/mrunners/kube/payloads.py",
        '    if document.get("kind") != f"{kind}List":\n'
        "        raise unusable_answer(\n"
        "            info, f\"it sent {_described(document.get('kind'))} "
        'instead of a {kind}List"\n'
        "        )\n"
        '    meta, items = document.get("metadata"), document.get("items", "missing")\n',
        '    meta, items = document.get("metadata", {}), document.get("items")\n',
        ("tests/unit/kube/test_client.py",),
    ),
    Mutation(
        "take any JSON for a deletion that was carried out",
        "src/mrunners/kube/payloads.py",
        '    document = _document(info, body)\n    kind = document.get("kind")\n',
        "    return _document(info, body)\n    document, kind = {}, None\n",
        ("tests/unit/kube/test_client.py",),
    ),
)
