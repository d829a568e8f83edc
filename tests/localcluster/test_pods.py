import base64
import json
import time
from datetime import UTC, datetime

from tests.localcluster.env import (
    KPERF,
    LocalCluster,
    make_pod,
    script_pod,
    terminated_state,
    wait_for,
)


def test_the_exit_code_of_the_command_decides_the_phase(cluster: LocalCluster) -> None:
    cluster.apply(script_pod("good", "exit 0"), script_pod("bad", "exit 7"))
    good, bad = cluster.wait_for_phase("good", "Succeeded"), cluster.wait_for_phase("bad", "Failed")
    assert (terminated_state(good)["exitCode"], terminated_state(good)["reason"]) == (
        0,
        "Completed",
    )
    assert (terminated_state(bad)["exitCode"], terminated_state(bad)["reason"]) == (7, "Error")
    conditions = {condition["type"]: condition for condition in bad["status"]["conditions"]}
    assert conditions["PodScheduled"]["status"] == "True"
    assert (conditions["Ready"]["status"], conditions["Ready"]["reason"]) == ("False", "PodFailed")


def test_an_unknown_image_alternates_between_err_image_pull_and_back_off(
    cluster: LocalCluster,
) -> None:
    cluster.apply(make_pod("unknown", "/x", container={"image": "ghcr.io/azure/kperf:9.9.9"}))
    name = "ghcr.io/azure/kperf:9.9.9"
    assert cluster.wait_for_reason("unknown", "ErrImagePull") == (
        f'failed to pull and unpack image "{name}": failed to resolve reference "{name}": '
        f"{name}: not found"
    )
    text = cluster.wait_for_reason("unknown", "ImagePullBackOff")
    assert text.startswith('Back-off pulling image "ghcr.io/azure/kperf:9.9.9": ErrImagePull:')
    messages = {event["message"].split(":")[0] for event in cluster.events("unknown", "Failed")}
    assert {"Error", 'Failed to pull image "ghcr.io/azure/kperf'} <= messages
    cluster.wait_for_reason("unknown", "ErrImagePull")
    assert cluster.pod("unknown")["status"]["phase"] == "Pending"


def test_a_malformed_image_name_is_invalid(cluster: LocalCluster) -> None:
    cluster.apply(make_pod("malformed", "/x", container={"image": "GHCR.io/Azure/kperf::"}))
    assert "couldn't parse image name" in cluster.wait_for_reason("malformed", "InvalidImageName")


def test_a_container_that_must_not_run_as_root_waits_with_a_config_error(
    cluster: LocalCluster,
) -> None:
    cluster.apply(script_pod("root", "exit 0", securityContext={"runAsNonRoot": True}))
    cluster.apply(
        script_pod("zero", "exit 0", securityContext={"runAsNonRoot": True, "runAsUser": 0})
    )
    text = cluster.wait_for_reason("root", "CreateContainerConfigError")
    assert text.startswith("container has runAsNonRoot and image will run as root (pod: ")
    text = cluster.wait_for_reason("zero", "CreateContainerConfigError")
    assert text.startswith("container's runAsUser breaks non-root policy (pod: ")


def test_a_command_that_cannot_be_executed_ends_with_start_error_and_an_empty_log(
    cluster: LocalCluster,
) -> None:
    commands = {
        "nothing": ("/run_runner.sh", "stat /run_runner.sh: no such file or directory"),
        "no-program": ("/etc/passwd", "permission denied"),
    }
    cluster.apply(*(make_pod(name, command) for name, (command, _) in commands.items()))
    for name, (command, reason) in commands.items():
        end = terminated_state(cluster.wait_for_phase(name, "Failed"))
        assert (end["exitCode"], end["reason"]) == (128, "StartError")
        assert end["message"].endswith(f': exec: "{command}": {reason}: unknown')
        assert end["startedAt"] == "1970-01-01T00:00:00Z"
        assert cluster.kubectl("logs", name) == ""


def test_an_image_without_a_shell_runs_kperf_and_cannot_start_a_shell(
    cluster: LocalCluster,
) -> None:
    image = {"image": "ghcr.io/azure/kperf-scratch:0.3.5"}
    cluster.apply(
        make_pod("no-shell", "/bin/sh", "-c", "exit 0", container=image),
        make_pod("own-program", "/kperf", "runner", "--help", container=image),
    )
    end = terminated_state(cluster.wait_for_phase("no-shell", "Failed"))
    assert (end["exitCode"], end["reason"]) == (128, "StartError")
    assert end["message"].endswith(
        'exec: "/bin/sh": stat /bin/sh: no such file or directory: unknown'
    )
    cluster.wait_for_phase("own-program", "Succeeded")


def test_a_pod_runs_with_a_terminated_container_before_it_has_ended(cluster: LocalCluster) -> None:
    template = "{.status.phase} {.status.containerStatuses[0].state.terminated.reason}{'\\n'}"
    cluster.apply(script_pod("ends", "sleep 1"))
    with cluster.watching("pod", "ends", f"--output=jsonpath={template}") as lines:
        cluster.wait_for_phase("ends", "Succeeded")
        wait_for(lambda: lines()[-1:], lambda last: last == ["Succeeded Completed"])
        ends = [line for line in lines() if line.endswith(" Completed")]
    assert ends == ["Running Completed", "Succeeded Completed"]


def test_a_pod_waits_for_a_missing_configmap(cluster: LocalCluster) -> None:
    volumes = [
        {"name": "c", "configMap": {"name": "late", "items": [{"key": "a", "path": "sub/b"}]}}
    ]
    mounts = {"volumeMounts": [{"name": "c", "mountPath": "/config"}]}
    cluster.apply(
        script_pod(
            "early",
            "cat /config/sub/b",
            volumes=volumes,
            container=mounts | {"command": ["sh", "-c", "cat /config/sub/b"]},
        )
    )
    cluster.wait_for_reason("early", "ContainerCreating")
    events = wait_for(lambda: cluster.events("early", "FailedMount"), bool)
    expected = 'MountVolume.SetUp failed for volume "c" : configmap "late" not found'
    assert [event["message"] for event in events] == [expected]
    assert events[0]["type"] == "Warning"
    base = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "late"}}
    cluster.apply(base | {"data": {"other": "x"}})
    wait_for(
        lambda: cluster.events("early", "FailedMount"),
        lambda events: any("non-existent config key: a" in event["message"] for event in events),
    )
    cluster.apply(base | {"data": {"a": "here at last"}})
    cluster.wait_for_phase("early", "Succeeded")
    assert cluster.kubectl("logs", "early") == "here at last"


def test_the_main_process_gets_sigterm_and_is_killed_after_the_grace_period(
    cluster: LocalCluster,
) -> None:
    trap = "trap 'echo asked; exit 3' TERM; echo ready; while :; do sleep 0.1; done"
    # Like PID 1 of a container, a shell without a trap does not even get the signal.
    cluster.apply(
        script_pod("trap", trap, terminationGracePeriodSeconds=20),
        script_pod("no-trap", "echo ready; sleep 1000; echo no", terminationGracePeriodSeconds=2),
    )
    names = ("trap", "no-trap")
    for name in names:
        wait_for(
            lambda name=name: cluster.kubectl("logs", name, code=None),  # type: ignore[misc]
            lambda log: "ready" in log,
        )
    for name in names:  # a finalizer keeps the object, so that its last status can be read
        cluster.kubectl(
            "patch", "pod", name, "--type=merge", "-p", '{"metadata":{"finalizers":["t.t/t"]}}'
        )
    started = time.monotonic()
    cluster.kubectl("delete", "pod", *names, "--wait=false")
    assert terminated_state(cluster.wait_for_phase("trap", "Failed"))["exitCode"] == 3
    assert time.monotonic() - started < 15
    assert cluster.kubectl("logs", "trap") == "ready\nasked\n"
    assert terminated_state(cluster.wait_for_phase("no-trap", "Failed"))["exitCode"] == 137
    for name in names:
        cluster.kubectl(
            "patch", "pod", name, "--type=merge", "-p", '{"metadata":{"finalizers":[]}}'
        )
    wait_for(
        lambda: cluster.kubectl("get", "pod", *names, code=None),
        lambda message: message.count("NotFound") == 2,
    )
    wait_for(
        lambda: [line for line in cluster.processes() if "sleep 1000" in line],
        lambda processes: not processes,
    )


def test_a_container_has_the_environment_of_its_pod_and_not_of_this_machine(
    cluster: LocalCluster,
) -> None:
    env = [
        {"name": "A", "value": "a"},
        {"name": "B", "value": "$(A)-$$(A)-$(NONE)"},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "LABEL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['x']"}}},
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "requests.cpu"}}},
        {
            "name": "GONE",
            "valueFrom": {"secretKeyRef": {"name": "no", "key": "no", "optional": True}},
        },
    ]
    text = "env | grep -E '^(A|B|NODE|LABEL|CPU|GONE|KUBERNETES_SERVICE_HOST)=' | sort; env | wc -l"
    resources = {"requests": {"cpu": "1500m"}}
    pod = script_pod("environment", text)
    pod["metadata"]["labels"] = {"x": "y"}
    pod["spec"]["containers"][0] |= {"env": env, "resources": resources}
    cluster.apply(pod)
    node = cluster.wait_for_phase("environment", "Succeeded")["spec"]["nodeName"]
    *lines, count = cluster.kubectl("logs", "environment").splitlines()
    assert lines == [
        "A=a",
        "B=a-$(A)-$(NONE)",
        "CPU=2",
        "KUBERNETES_SERVICE_HOST=127.0.0.1",
        "LABEL=y",
        f"NODE={node}",
    ]
    assert int(count) < 20


def test_a_pod_gets_a_token_of_its_service_account(cluster: LocalCluster) -> None:
    text = (
        "S=/var/run/secrets/kubernetes.io/serviceaccount; "
        "cut -d. -f2 /var/run/secrets/kubernetes.io/serviceaccount/token; "
        "cat $HOME/.kube/config | grep -c tokenFile; test -d $S || echo '$S is not a path here'"
    )
    cluster.apply(script_pod("token", text))
    pod = cluster.wait_for_phase("token", "Succeeded")
    body, count = cluster.kubectl("logs", "token").splitlines()[:2]
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    bound = claims["kubernetes.io"]
    assert bound["pod"] == {"name": "token", "uid": pod["metadata"]["uid"]}
    assert bound["serviceaccount"]["name"] == "default"
    assert count == "1"


def test_with_on_failure_a_failed_container_restarts(cluster: LocalCluster) -> None:
    text = "if [ -e /tmp/once ]; then echo second; else echo first; touch /tmp/once; exit 1; fi"
    volumes = [{"name": "t", "emptyDir": {}}]
    pod = script_pod("again", text, restartPolicy="OnFailure", volumes=volumes)
    pod["spec"]["containers"][0]["volumeMounts"] = [{"name": "t", "mountPath": "/tmp"}]
    cluster.apply(pod)
    status = cluster.wait_for_phase("again", "Succeeded")["status"]["containerStatuses"][0]
    assert (status["restartCount"], status["lastState"]["terminated"]["exitCode"]) == (1, 1)
    assert cluster.kubectl("logs", "again") == "second\n"
    assert cluster.kubectl("logs", "again", "--previous") == "first\n"


def test_a_pod_past_its_deadline_fails_and_keeps_the_conditions_of_others(
    cluster: LocalCluster,
) -> None:
    pod = script_pod("late", "trap 'exit 0' TERM; while :; do sleep 0.1; done")
    pod["spec"]["activeDeadlineSeconds"] = 3
    cluster.apply(pod)
    cluster.wait_for_phase("late", "Running")
    # The disruption controller considers a condition without a time stale.
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "Test"}
    condition["lastTransitionTime"] = now
    patch = json.dumps({"status": {"conditions": [condition]}})
    cluster.kubectl("patch", "pod", "late", "--subresource=status", "-p", patch)
    status = cluster.wait_for_phase("late", "Failed")["status"]
    assert status["reason"] == "DeadlineExceeded"
    kept = next(
        condition for condition in status["conditions"] if condition["type"] == "DisruptionTarget"
    )
    assert kept["reason"] == "Test"


def test_init_containers_run_first_and_share_volumes(cluster: LocalCluster) -> None:
    mounts = [{"name": "d", "mountPath": "/data"}]
    pod = script_pod("ordered", "cat /data/x", volumes=[{"name": "d", "emptyDir": {}}])
    pod["spec"]["containers"][0]["volumeMounts"] = mounts
    pod["spec"]["initContainers"] = [
        {
            "name": "first",
            "image": KPERF,
            "command": ["sh", "-c", "echo prepared > /data/x"],
            "volumeMounts": mounts,
        }
    ]
    cluster.apply(pod)
    cluster.wait_for_phase("ordered", "Succeeded")
    assert cluster.kubectl("logs", "ordered") == "prepared\n"
