import base64
import json
import time
from datetime import UTC, datetime

from tests.localcluster.env import KPERF, LocalCluster, ended, pod_of, script, wait_for


def test_the_exit_code_of_the_command_becomes_the_pods_end(cluster: LocalCluster) -> None:
    cluster.apply(script("good", "exit 0"), script("bad", "exit 7"))
    good, bad = cluster.phase("good", "Succeeded"), cluster.phase("bad", "Failed")
    assert (ended(good)["exitCode"], ended(good)["reason"]) == (0, "Completed")
    assert (ended(bad)["exitCode"], ended(bad)["reason"]) == (7, "Error")
    conditions = {one["type"]: one for one in bad["status"]["conditions"]}
    assert conditions["PodScheduled"]["status"] == "True"
    assert (conditions["Ready"]["status"], conditions["Ready"]["reason"]) == ("False", "PodFailed")


def test_an_unknown_image_alternates_between_err_image_pull_and_back_off(
    cluster: LocalCluster,
) -> None:
    cluster.apply(pod_of("unknown", "/x", container={"image": "ghcr.io/azure/kperf:9.9.9"}))
    assert "not found" in cluster.waiting("unknown", "ErrImagePull")
    text = cluster.waiting("unknown", "ImagePullBackOff")
    assert text.startswith('Back-off pulling image "ghcr.io/azure/kperf:9.9.9": ErrImagePull:')
    told = {event["message"].split(":")[0] for event in cluster.events("unknown", "Failed")}
    assert {"Error", 'Failed to pull image "ghcr.io/azure/kperf'} <= told
    cluster.waiting("unknown", "ErrImagePull")
    assert cluster.pod("unknown")["status"]["phase"] == "Pending"


def test_a_malformed_image_name_is_invalid(cluster: LocalCluster) -> None:
    cluster.apply(pod_of("malformed", "/x", container={"image": "GHCR.io/Azure/kperf::"}))
    assert "couldn't parse image name" in cluster.waiting("malformed", "InvalidImageName")


def test_root_where_root_is_refused_waits_with_a_config_error(cluster: LocalCluster) -> None:
    cluster.apply(script("root", "exit 0", securityContext={"runAsNonRoot": True}))
    cluster.apply(script("zero", "exit 0", securityContext={"runAsNonRoot": True, "runAsUser": 0}))
    text = cluster.waiting("root", "CreateContainerConfigError")
    assert text.startswith("container has runAsNonRoot and image will run as root (pod: ")
    text = cluster.waiting("zero", "CreateContainerConfigError")
    assert text.startswith("container's runAsUser breaks non-root policy (pod: ")


def test_a_command_that_is_not_there_ends_with_start_error(cluster: LocalCluster) -> None:
    cluster.apply(pod_of("nothing", "/run_runner.sh"))
    end = ended(cluster.phase("nothing", "Failed"))
    assert (end["exitCode"], end["reason"]) == (128, "StartError")
    assert 'exec: "/run_runner.sh": stat /run_runner.sh: no such file' in end["message"]


def test_a_missing_configmap_is_waited_for(cluster: LocalCluster) -> None:
    volumes = [
        {"name": "c", "configMap": {"name": "late", "items": [{"key": "a", "path": "sub/b"}]}}
    ]
    mounts = {"volumeMounts": [{"name": "c", "mountPath": "/config"}]}
    cluster.apply(
        script(
            "early",
            "cat /config/sub/b",
            volumes=volumes,
            container=mounts | {"command": ["sh", "-c", "cat /config/sub/b"]},
        )
    )
    cluster.waiting("early", "ContainerCreating")
    told = wait_for(
        lambda: {"events": cluster.events("early", "FailedMount")}, lambda seen: seen["events"]
    )
    expected = 'MountVolume.SetUp failed for volume "c" : configmap "late" not found'
    assert [event["message"] for event in told["events"]] == [expected]
    assert told["events"][0]["type"] == "Warning"
    base = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "late"}}
    cluster.apply(base | {"data": {"other": "x"}})
    wait_for(
        lambda: {"events": cluster.events("early", "FailedMount")},
        lambda seen: any("non-existent config key: a" in one["message"] for one in seen["events"]),
    )
    cluster.apply(base | {"data": {"a": "here at last"}})
    cluster.phase("early", "Succeeded")
    assert cluster.kubectl("logs", "early") == "here at last"


def test_term_reaches_the_main_process_and_kill_follows_after_the_grace(
    cluster: LocalCluster,
) -> None:
    heeds = "trap 'echo asked; exit 3' TERM; echo ready; while :; do sleep 0.1; done"
    # Like PID 1 of a container, a shell without a trap does not even get the signal.
    cluster.apply(
        script("heeds", heeds, terminationGracePeriodSeconds=20),
        script("deaf", "echo ready; sleep 1000; echo never", terminationGracePeriodSeconds=2),
    )
    names = ("heeds", "deaf")
    for name in names:
        wait_for(
            lambda name=name: {"log": cluster.kubectl("logs", name, code=None)},  # type: ignore[misc]
            lambda seen: "ready" in seen["log"],
        )
    for name in names:  # keeps the object, so that its last status can be read
        cluster.kubectl(
            "patch", "pod", name, "--type=merge", "-p", '{"metadata":{"finalizers":["t.t/t"]}}'
        )
    begun = time.monotonic()
    cluster.kubectl("delete", "pod", *names, "--wait=false")
    assert ended(cluster.phase("heeds", "Failed"))["exitCode"] == 3
    assert time.monotonic() - begun < 15
    assert cluster.kubectl("logs", "heeds") == "ready\nasked\n"
    assert ended(cluster.phase("deaf", "Failed"))["exitCode"] == 137
    for name in names:
        cluster.kubectl(
            "patch", "pod", name, "--type=merge", "-p", '{"metadata":{"finalizers":[]}}'
        )
    wait_for(
        lambda: {"said": cluster.kubectl("get", "pod", *names, code=None)},
        lambda seen: seen["said"].count("NotFound") == 2,
    )
    wait_for(
        lambda: {"left": [one for one in cluster.processes() if "sleep 1000" in one]},
        lambda seen: not seen["left"],
    )


def test_the_environment_is_the_pods_and_not_this_machines(cluster: LocalCluster) -> None:
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
    pod = script("environment", text)
    pod["metadata"]["labels"] = {"x": "y"}
    pod["spec"]["containers"][0] |= {"env": env, "resources": resources}
    cluster.apply(pod)
    node = cluster.phase("environment", "Succeeded")["spec"]["nodeName"]
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


def test_a_pod_signs_in_with_the_token_of_its_service_account(cluster: LocalCluster) -> None:
    text = (
        "S=/var/run/secrets/kubernetes.io/serviceaccount; "
        "cut -d. -f2 /var/run/secrets/kubernetes.io/serviceaccount/token; "
        "cat $HOME/.kube/config | grep -c tokenFile; test -d $S || echo '$S is not a path here'"
    )
    cluster.apply(script("token", text))
    pod = cluster.phase("token", "Succeeded")
    body, count = cluster.kubectl("logs", "token").splitlines()[:2]
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    bound = claims["kubernetes.io"]
    assert bound["pod"] == {"name": "token", "uid": pod["metadata"]["uid"]}
    assert bound["serviceaccount"]["name"] == "default"
    assert count == "1"


def test_a_failed_container_is_started_again_on_failure(cluster: LocalCluster) -> None:
    text = "if [ -e /tmp/once ]; then echo second; else echo first; touch /tmp/once; exit 1; fi"
    volumes = [{"name": "t", "emptyDir": {}}]
    pod = script("again", text, restartPolicy="OnFailure", volumes=volumes)
    pod["spec"]["containers"][0]["volumeMounts"] = [{"name": "t", "mountPath": "/tmp"}]
    cluster.apply(pod)
    status = cluster.phase("again", "Succeeded")["status"]["containerStatuses"][0]
    assert (status["restartCount"], status["lastState"]["terminated"]["exitCode"]) == (1, 1)
    assert cluster.kubectl("logs", "again") == "second\n"
    assert cluster.kubectl("logs", "again", "--previous") == "first\n"


def test_a_pod_past_its_deadline_fails_and_keeps_the_conditions_of_others(
    cluster: LocalCluster,
) -> None:
    pod = script("late", "trap 'exit 0' TERM; while :; do sleep 0.1; done")
    pod["spec"]["activeDeadlineSeconds"] = 3
    cluster.apply(pod)
    cluster.phase("late", "Running")
    # Without a time the disruption controller takes it for stale.
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "Test"}
    condition["lastTransitionTime"] = now
    patch = json.dumps({"status": {"conditions": [condition]}})
    cluster.kubectl("patch", "pod", "late", "--subresource=status", "-p", patch)
    status = cluster.phase("late", "Failed")["status"]
    assert status["reason"] == "DeadlineExceeded"
    kept = next(one for one in status["conditions"] if one["type"] == "DisruptionTarget")
    assert kept["reason"] == "Test"


def test_init_containers_run_first_and_share_volumes(cluster: LocalCluster) -> None:
    mounts = [{"name": "d", "mountPath": "/data"}]
    pod = script("ordered", "cat /data/x", volumes=[{"name": "d", "emptyDir": {}}])
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
    cluster.phase("ordered", "Succeeded")
    assert cluster.kubectl("logs", "ordered") == "prepared\n"
