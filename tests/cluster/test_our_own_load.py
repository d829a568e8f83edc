"""What mrunners says that it sent is what the API server has counted."""

from __future__ import annotations

import re
from collections import Counter

from tests.cluster.commands import Kubectl
from tests.cluster.env import KPERF, NewEnv

_COUNTED = re.compile(r"apiserver_request_total\{(.*)\} (\S+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')

# One run by the core alone, whose requests are those of one process.
_RUN = """
import json, sys
from mrunners import RunOptions, connect
options = RunOptions(
    namespace=sys.argv[1],
    runner_image=sys.argv[2],
    runners=tuple(sys.argv[4:]),
    service_account="kperf-runner",
)
with connect(max_qps=sys.argv[3]) as cluster:
    run = cluster.start(options)
    run.wait()
    report = run.collect()
print(json.dumps({
    "merged": report.coverage.merged,
    "traffic": {verb: of_verb.requests for verb, of_verb in report.traffic_by_us.items()},
}))
"""


def requests(kubectl: Kubectl) -> Counter[tuple[str, str, str, str]]:
    """Return the API server's count of requests by verb, resource, subresource and dry run."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for line in kubectl("get", "--raw", "/metrics").splitlines():
        if (found := _COUNTED.fullmatch(line)) is not None:
            labels = dict(_LABEL.findall(found[1]))
            names = (labels[name] for name in ("verb", "resource", "subresource", "dry_run"))
            verb, resource, subresource, dry_run = names
            counts[verb, resource, subresource, dry_run] += int(float(found[2]))
    return counts


def test_the_requests_of_a_run_are_those_that_the_api_server_has_counted(
    new_env: NewEnv, kubectl: Kubectl
) -> None:
    with new_env("own-load") as limited:
        env = limited.as_admin  # what is forbidden is not counted by its kind
        before = requests(kubectl)
        started = env.mrunners.python("-c", _RUN, env.namespace, KPERF, "", *[env.quick(2)] * 3)
        done = started.finish()
        assert done.code == 0, done.stderr
        after = requests(kubectl)
    assert done.report["merged"] == 6
    new = after - before
    # Nobody else creates Jobs, judges pods beforehand or reads logs. ConfigMaps are created in
    # every namespace, also in those of other tests.
    creates = sum(
        count
        for (verb, resource, _, dry_run), count in new.items()
        if verb == "POST" and (resource == "jobs" or (resource, dry_run) == ("pods", "All"))
    )
    logs = sum(count for (_, _, subresource, _), count in new.items() if subresource == "log")
    assert creates == 3 + 3  # Jobs, two dry runs of a Job, and one of a pod
    assert done.report["traffic"]["create"] == creates + 1  # and the tracker
    assert logs == 6
    assert done.report["traffic"]["get"] >= logs


_HAS_CHANGED = """
import json, sys
from mrunners import connect
from mrunners.plan.metadata import runner_selector
namespace, selector = sys.argv[1], runner_selector("mrunners")
with connect() as connection:
    cluster = connection.cluster
    jobs = cluster.list_jobs(namespace, selector)
    answers = [cluster.jobs_changed(namespace, selector)]
    for job in jobs:
        cluster.annotate_job(namespace, job.name, job.uid, {"example.com/a": "b"})
    answers.append(cluster.jobs_changed(namespace, selector))
    answers.append(cluster.jobs_changed("default", selector))
print(json.dumps(answers))
"""


def test_whether_a_job_has_changed_costs_no_list(new_env: NewEnv) -> None:
    with new_env("changed-jobs") as env:
        run = env.run(env.quick(1), options=["--wait"])
        assert run.code == 0, run.stderr
        done = env.mrunners.python("-c", _HAS_CHANGED, env.namespace).finish()
        # Of a namespace that was never listed nobody knows.
        assert done.report == [False, True, True], done.stderr
        role = env.kubectl("get", "role", "mrunners", "--output=json")
        env.kubectl("replace", "--filename=-", stdin=role.replace('"watch",', ""))
        done = env.mrunners.python("-c", _HAS_CHANGED, env.namespace).finish()
        assert done.report == [None, None, True], done.stderr
