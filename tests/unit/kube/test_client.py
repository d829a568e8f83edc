"""The real client against a real HTTP server that sends what an API server would."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mrunners.errors import (
    ApiStatusError,
    ForbiddenError,
    InvalidInputError,
    UnauthorizedError,
    UnreachableError,
)
from mrunners.kube import session
from mrunners.kube.flow_control import flow_control_of
from mrunners.kube.objects import ConfigMap, Event, Job, Placement
from mrunners.kube.retry import request_deadline
from mrunners.kube.transport import request_timeout
from mrunners.plan.metadata import Manifest
from mrunners.reports.traffic import VerbTraffic
from tests.fakes import FakeClock, Raw
from tests.unit.kube.apiserver import (
    Answer,
    ApiServer,
    Client,
    Received,
    listed,
    refuses,
    says,
    serving,
)

BASE = "/api/v1/namespaces/load"
JOBS = "/apis/batch/v1/namespaces/load/jobs"
LOG = f"{BASE}/pods/p/log"


@pytest.fixture
def api() -> Iterator[ApiServer]:
    with serving() as server:
        yield server


@pytest.fixture
def client(api: ApiServer, tmp_path: Path) -> Client:
    return Client(api.kubeconfig(tmp_path))


def config_map(name: str = "mrunners") -> Raw:
    meta = {"name": name, "uid": f"{name}-uid", "creationTimestamp": "2026-01-02T03:04:05Z"}
    return {"kind": "ConfigMap", "metadata": meta, "data": {"a": "b"}}


def job(name: str) -> Raw:
    return {**config_map(name), "kind": "Job", "status": {}}


def received(method: str, path: str, body: object = None, **query: str) -> Received:
    content_type = "application/json" if body is not None else None
    return Received(method, path, query, body, "first", content_type)


def test_an_object_is_read_with_the_token(api: ApiServer, client: Client) -> None:
    api.answers.append(says(config_map()))
    assert client.get_config_map("load", "mrunners") == ConfigMap.from_json(config_map())
    assert api.received == [received("GET", f"{BASE}/configmaps/mrunners")]


def test_an_object_that_does_not_exist_is_none(api: ApiServer, client: Client) -> None:
    api.answers.extend([refuses(404)] * 3)
    assert client.get_config_map("load", "x") is None
    assert client.get_job("load", "x") is None
    assert client.read_log("load", "p", "runner", limit_bytes=9) is None


def test_a_list_is_read_page_by_page(api: ApiServer, client: Client) -> None:
    api.answers.extend(
        [listed("ConfigMap", config_map("a"), more="token"), listed("ConfigMap", config_map("b"))]
    )
    config_maps = client.list_config_maps("load", "x=y,z!=w")
    assert [config_map.name for config_map in config_maps] == ["a", "b"]
    first = received("GET", f"{BASE}/configmaps", labelSelector="x=y,z!=w", limit="500")
    assert api.received == [
        first,
        Received(**{**vars(first), "query": {**first.query, "continue": "token"}}),
    ]


def test_a_list_whose_token_expired_is_read_again_from_its_start(
    api: ApiServer, client: Client
) -> None:
    api.answers.extend(
        [
            listed("ConfigMap", config_map("a"), more="old"),
            refuses(410),
            listed("ConfigMap", config_map("a"), config_map("b")),
        ]
    )
    config_maps = client.list_config_maps("load", "")
    assert [config_map.name for config_map in config_maps] == ["a", "b"]
    assert [request.query.get("continue") for request in api.received] == [None, "old", None]


def test_a_list_is_not_read_again_for_ever(api: ApiServer, client: Client) -> None:
    api.answers.extend([refuses(410)] * 9)
    with pytest.raises(ApiStatusError, match=r"answered 410"):
        client.list_jobs("load", "")
    assert len(api.received) == 4


def test_an_empty_list_may_have_no_items(api: ApiServer, client: Client) -> None:
    api.answers.append(says({"kind": "JobList", "metadata": {}, "items": None}))
    assert client.list_jobs("load", "x=y") == []
    assert api.received == [received("GET", JOBS, labelSelector="x=y", limit="500")]


def test_an_object_is_created_with_strict_fields(api: ApiServer, client: Client) -> None:
    api.answers.append(says(config_map(), 201))
    manifest: dict[str, object] = {"kind": "ConfigMap", "metadata": {"name": "mrunners"}}
    assert client.create_config_map("load", manifest) == ConfigMap.from_json(config_map())
    assert api.received == [
        received("POST", f"{BASE}/configmaps", manifest, fieldValidation="Strict")
    ]


def test_a_dry_run_stores_nothing(api: ApiServer, client: Client) -> None:
    api.answers.append(says(config_map()))
    client.dry_run_config_map("load", {})
    (request,) = api.received
    assert request == received(
        "POST", f"{BASE}/configmaps", {}, fieldValidation="Strict", dryRun="All"
    )


def test_a_dry_run_of_a_pod_stores_nothing(api: ApiServer, client: Client) -> None:
    api.answers.append(refuses(409))
    client.dry_run_pod("load", {})
    (request,) = api.received
    assert request == received("POST", f"{BASE}/pods", {}, fieldValidation="Strict", dryRun="All")


def test_a_webhook_for_pods_that_is_away_is_no_outage_that_ends(
    api: ApiServer, client: Client
) -> None:
    api.answers.extend([says(config_map()), *[refuses(500)] * 9])
    client.get_config_map("load", "mrunners")
    with pytest.raises(UnreachableError):
        client.dry_run_pod("load", {})
    api.answers.clear()
    api.answers.append(says(config_map()))
    client.get_config_map("load", "mrunners")
    assert [text.rpartition("; ")[2] for text in client.warnings] == ["retrying for up to 10s"]


def test_a_dry_run_returns_the_job_as_it_would_be_stored(api: ApiServer, client: Client) -> None:
    stored = {**job("j"), "spec": {"completions": 1, "ttlSecondsAfterFinished": 60}}
    api.answers.extend([says(stored, 201), refuses(409)])
    assert client.dry_run_job("load", {}) == Job.from_json(stored)
    assert client.dry_run_job("load", {}) is None
    assert api.received[0] == received("POST", JOBS, {}, fieldValidation="Strict", dryRun="All")


def test_creating_an_object_that_exists_returns_none(api: ApiServer, client: Client) -> None:
    api.answers.extend([refuses(409)] * 2)
    assert client.create_config_map("load", {}) is None
    assert client.create_job("load", {"kind": "Job"}) is None


def test_a_creation_that_conflicts_with_another_is_retried(api: ApiServer, client: Client) -> None:
    conflict = {"kind": "Status", "reason": "Conflict", "message": "the quota has been modified"}
    api.answers.extend([says(conflict, 409), says(config_map())])
    created = client.create_config_map("load", {})
    assert created is not None
    assert [request.method for request in api.received] == ["POST", "POST"]


def test_a_missing_namespace_is_invalid_input(api: ApiServer, client: Client) -> None:
    api.answers.append(refuses(404, 'namespaces "load" not found'))
    with pytest.raises(InvalidInputError, match=r"^namespace load does not exist"):
        client.create_job("load", {"kind": "Job"})


def test_the_error_about_a_refused_manifest_has_the_servers_message(
    api: ApiServer, client: Client
) -> None:
    api.answers.append(refuses(422, "spec.x: Invalid value"))
    with pytest.raises(
        ApiStatusError, match=r"create jobs.batch .* answered 422: spec.x: Invalid value"
    ):
        client.create_job("load", {"kind": "Job"})


def test_a_deletion_names_the_uid_and_includes_dependents(api: ApiServer, client: Client) -> None:
    api.answers.extend([says({"kind": "Status", "status": "Success"}), refuses(404), refuses(409)])
    assert [client.delete_config_map("load", "mrunners", "u") for _ in range(3)] == [
        True,
        False,
        False,
    ]
    body = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Background",
        "preconditions": {"uid": "u"},
    }
    assert api.received[0] == received("DELETE", f"{BASE}/configmaps/mrunners", body)


def test_an_annotation_is_added_to_exactly_one_object(api: ApiServer, client: Client) -> None:
    api.answers.extend([says(config_map("m")), refuses(404), refuses(409)])
    assert [client.annotate_config_map("load", "m", "u", {"a": "b"}) for _ in range(3)] == [
        True,
        False,
        False,
    ]
    body = {"metadata": {"uid": "u", "annotations": {"a": "b"}}}
    assert api.received[0] == Received(
        "PATCH", f"{BASE}/configmaps/m", {}, body, "first", "application/merge-patch+json"
    )


def patched(path: str, body: object) -> Received:
    return Received("PATCH", path, {}, body, "first", "application/merge-patch+json")


def test_exactly_one_job_is_annotated_and_suspended(api: ApiServer, client: Client) -> None:
    job = says({"kind": "Job", "metadata": {"name": "j"}})
    api.answers.extend([job, job, refuses(409), refuses(404)])
    assert client.annotate_job("load", "j", "uid", {"a": "b"})
    assert client.suspend_job("load", "j", "uid")
    assert not client.suspend_job("load", "j", "uid")
    assert not client.annotate_job("load", "j", "uid", {"a": "b"})
    note = patched(f"{JOBS}/j", {"metadata": {"annotations": {"a": "b"}, "uid": "uid"}})
    suspend = patched(f"{JOBS}/j", {"spec": {"suspend": True}, "metadata": {"uid": "uid"}})
    assert api.received == [note, suspend, suspend, note]


def test_exactly_one_pod_is_deleted(api: ApiServer, client: Client) -> None:
    api.answers.extend([says({"kind": "Pod", "metadata": {"name": "p"}}), refuses(404)])
    assert client.delete_pod("load", "p", "uid")
    assert not client.delete_pod("load", "p", "uid")
    body = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Background",
        "preconditions": {"uid": "uid"},
    }
    assert api.received == [received("DELETE", f"{BASE}/pods/p", body)] * 2


def test_nodes_are_counted_up_to_as_many_as_are_needed(api: ApiServer, client: Client) -> None:
    free = {"metadata": {"name": "n"}}
    cordoned = {"metadata": {"name": "c"}, "spec": {"unschedulable": True}}
    api.answers.extend([listed("Node", free, cordoned, free, more="next"), listed("Node", free)])
    assert client.count_schedulable_nodes(2) == 2
    assert api.received == [received("GET", "/api/v1/nodes", limit="500")]
    api.answers.appendleft(listed("Node", free, cordoned, more="next"))
    assert client.count_schedulable_nodes(5) == 2


def test_nodes_are_not_counted_when_listing_them_is_forbidden(
    api: ApiServer, client: Client
) -> None:
    api.answers.append(refuses(403))
    assert client.count_schedulable_nodes(5) is None


@pytest.mark.parametrize(
    ("left", "contacted", "timeout"),
    [
        (None, True, (5, 45)),
        (None, False, (5, 10)),
        (100, True, (5, 45)),
        (20, True, (5, 20)),
        (3, False, (3, 3)),
        (0, True, (1, 1)),
    ],
)
def test_no_request_outlasts_the_deadline_of_the_caller(
    left: float | None, contacted: bool, timeout: tuple[float, float]
) -> None:
    clock = FakeClock()
    with nullcontext() if left is None else request_deadline(left, clock.monotonic):
        assert request_timeout(contacted=contacted) == timeout


def test_only_events_of_the_type_warning_are_listed(api: ApiServer, client: Client) -> None:
    event = {"involvedObject": {"uid": "u", "name": "n"}, "reason": "r", "message": "m"}
    api.answers.append(listed("Event", event))
    assert client.list_warnings("load") == [Event("u", "n", "r", "m")]
    assert api.received == [
        received("GET", f"{BASE}/events", fieldSelector="type=Warning", limit="500")
    ]


def test_there_are_no_warnings_when_listing_them_is_forbidden(
    api: ApiServer, client: Client
) -> None:
    api.answers.append(refuses(403))
    assert client.list_warnings("load") == []


def test_the_schedulers_events_say_where_pods_were_placed(api: ApiServer, client: Client) -> None:
    meta = {"creationTimestamp": "2026-01-02T03:04:05Z"}
    about = {"name": "mrunners-0-1-abcde"}
    message = "Successfully assigned load/mrunners-0-1-abcde to node-7"
    api.answers.append(
        listed(
            "Event",
            {"metadata": meta, "involvedObject": about, "message": message},
            {"metadata": meta, "involvedObject": about, "message": "bound by another scheduler"},
            {"metadata": meta},
        )
    )
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert client.list_placements("load") == [
        Placement("mrunners-0-1-abcde", "node-7", at),
        Placement("mrunners-0-1-abcde", None, at),
        Placement("", None, at),
    ]
    selector = "involvedObject.kind=Pod,reason=Scheduled"
    assert api.received == [received("GET", f"{BASE}/events", fieldSelector=selector, limit="500")]


def test_there_are_no_placements_when_listing_events_is_forbidden(
    api: ApiServer, client: Client
) -> None:
    api.answers.append(refuses(403))
    assert client.list_placements("load") == []


def test_any_other_403_says_which_request_is_forbidden(api: ApiServer, client: Client) -> None:
    api.answers.append(refuses(403))
    with pytest.raises(ForbiddenError, match=r"^forbidden: list pods in namespace load: no"):
        client.list_pods("load", "")


def test_expired_credentials_are_read_again_once(
    api: ApiServer, client: Client, tmp_path: Path
) -> None:
    api.kubeconfig(tmp_path, token="second")
    api.answers.extend([refuses(401), refuses(404)])
    assert client.get_job("load", "x") is None
    assert [request.token for request in api.received] == ["first", "second"]


def test_credentials_that_are_refused_twice_are_not_read_again(
    api: ApiServer, client: Client
) -> None:
    api.answers.extend([refuses(401)] * 2)
    with pytest.raises(UnauthorizedError):
        client.get_job("load", "x")
    assert (len(api.received), client.requests) == (2, 2)


def test_credentials_that_cannot_be_read_in_mid_run_are_an_outage(
    api: ApiServer, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("first")
    client = Client(api.kubeconfig(tmp_path, tokenFile="token"))
    api.answers.extend([listed("Job"), *[refuses(401)] * 99])
    client.list_jobs("load", "")
    token.unlink()
    with pytest.raises(UnreachableError, match=r"token: no such file"):
        client.read_log("load", "p", "runner", limit_bytes=9)
    api.answers.clear()
    api.answers.extend([refuses(401), refuses(401), says(config_map())])
    client.clock.then(lambda: token.write_text("second"))
    assert client.get_config_map("load", "mrunners") == ConfigMap.from_json(config_map())


def test_a_log_is_read_as_bytes_from_the_runner_container(api: ApiServer, client: Client) -> None:
    api.answers.append(Answer(body=b"\xff{\n"))
    assert client.read_log("load", "p", "runner", limit_bytes=100) == b"\xff{\n"
    assert api.received == [received("GET", LOG, container="runner", limitBytes="100")]


def watched(kind: str, name: str) -> bytes:
    pod = {**config_map(name), "kind": "Pod", "spec": {}, "status": {"phase": "Running"}}
    return json.dumps({"type": kind, "object": pod}).encode() + b"\n"


def test_deleted_pods_are_those_that_a_watch_says_were_deleted(
    api: ApiServer, client: Client
) -> None:
    events = watched("MODIFIED", "a") + watched("DELETED", "b") + watched("DELETED", "c")
    api.answers.append(Answer(body=events + b'{"type": "DELE', chunked=True))
    pods = client.list_deleted_pods("load", "x=y", "17")
    assert [pod.name for pod in pods] == ["b", "c"]
    what = {"labelSelector": "x=y", "resourceVersion": "17", "watch": "true"}
    assert api.received == [received("GET", f"{BASE}/pods", timeoutSeconds="1", **what)]


FORGOTTEN = {"type": "ERROR", "object": {"kind": "Status", "code": 410}}


@pytest.mark.parametrize(
    "answer",
    [refuses(403), refuses(500), says(FORGOTTEN), Answer(body=b"[]"), Answer(body=b"half", cut=4)],
)
def test_why_a_pod_was_deleted_may_stay_unknown(
    api: ApiServer, client: Client, answer: Answer
) -> None:
    api.answers.append(answer)
    assert client.list_deleted_pods("load", "x=y", "17") == []
    assert (client.warnings, client.requests) == ([], 1)


@pytest.mark.parametrize(
    ("answer", "changed"),
    [
        (Answer(body=b""), False),
        (Answer(body=b'{"type": "MODIFIED", "object": {}}\n'), True),
        (says(FORGOTTEN), True),
        (refuses(410), True),
        (refuses(500), True),
        (refuses(403), None),
    ],
)
def test_a_watch_says_whether_a_job_has_changed_since_the_list(
    api: ApiServer, client: Client, answer: Answer, changed: bool | None
) -> None:
    metadata = {"resourceVersion": "17"}
    api.answers.extend([says({"kind": "JobList", "metadata": metadata, "items": []}), answer])
    assert client.jobs_changed("load", "x=y") is True  # there was no list
    assert client.list_jobs("load", "x=y") == []
    assert client.jobs_changed("load", "x=z") is True  # of these there was none
    assert client.jobs_changed("load", "x=y") is changed
    query = {"watch": "true", "timeoutSeconds": "1", "labelSelector": "x=y"}
    assert api.received[1:] == [received("GET", JOBS, resourceVersion="17", **query)]


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("length", [100, 101, 300_000])
def test_a_log_is_cut_at_its_limit_and_the_next_request_works(
    api: ApiServer, client: Client, length: int, chunked: bool
) -> None:
    api.answers.extend([Answer(body=b"x" * length, chunked=chunked), says(config_map())])
    assert client.read_log("load", "p", "runner", limit_bytes=100) == b"x" * 100
    assert client.get_config_map("load", "mrunners") == ConfigMap.from_json(config_map())
    assert (client.warnings, client.requests) == ([], 2)


def test_a_request_whose_body_breaks_off_is_retried(api: ApiServer, client: Client) -> None:
    api.answers.extend([Answer(body=b'{"metadata"', cut=9), says(config_map())])
    assert client.get_config_map("load", "mrunners") == ConfigMap.from_json(config_map())
    assert client.requests == 2


def test_a_log_that_breaks_off_is_read_again(api: ApiServer, client: Client) -> None:
    api.answers.extend([Answer(body=b"half", cut=4), Answer(body=b"half and half")])
    assert client.read_log("load", "p", "runner", limit_bytes=100) == b"half and half"


def test_a_success_whose_body_is_not_json_is_retried(api: ApiServer, client: Client) -> None:
    api.answers.extend([Answer(body=b'{"items": ['), listed("Job")])
    assert client.list_jobs("load", "") == []
    assert client.warnings[0].startswith(
        f"no usable answer from the API server {api.url}: it sent text that is not JSON (list "
    )


def test_the_retry_after_of_a_429_is_obeyed(api: ApiServer, client: Client) -> None:
    api.answers.extend([Answer(429, b"Too many requests\n", {"Retry-After": "7"}), listed("Job")])
    assert client.list_jobs("load", "") == []
    assert client.clock.slept == [7]


def test_a_log_on_a_lost_node_is_given_up_after_30_seconds(api: ApiServer, client: Client) -> None:
    api.answers.extend([listed("Job"), *[refuses(500, "dial tcp: i/o timeout")] * 100])
    client.list_jobs("load", "")
    message = r"^get pods/log load/p failed: .* answered 500: dial tcp"
    with pytest.raises(UnreachableError, match=message):
        client.read_log("load", "p", "runner", limit_bytes=100)
    assert 30 <= client.clock.seconds < 45


def test_a_refused_connection_is_reported_in_a_few_words(api: ApiServer, tmp_path: Path) -> None:
    with serving() as stopped:
        kubeconfig = stopped.kubeconfig(tmp_path)
    client = Client(kubeconfig)
    with pytest.raises(UnreachableError) as caught:
        client.list_jobs("load", "")
    assert str(caught.value) == (
        f"cannot reach the API server {stopped.url}: connection refused (list jobs.batch in "
        "namespace load); check that it runs and that the kubeconfig names the right cluster"
    )
    assert 15 <= client.clock.seconds < 30


def test_the_time_is_the_servers(api: ApiServer, client: Client) -> None:
    api.answers.append(refuses(404, Date="Fri, 02 Jan 2015 03:04:05 GMT"))
    client.get_job("load", "x")
    difference = client.now() - datetime(2015, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert timedelta(0) <= difference < timedelta(minutes=1)


@pytest.mark.parametrize("date", ["yesterday", "", "Fri, 02 Jan 2015 03:04:05 -0000"])
def test_a_date_header_that_is_no_date_is_ignored(
    api: ApiServer, client: Client, date: str
) -> None:
    api.answers.append(refuses(404, Date=date))
    assert client.get_job("load", "x") is None
    assert client.now().tzinfo is not None


@pytest.mark.parametrize("body", [b"null", b"{}", b"[]", b"<html>Sign in</html>", b""])
def test_an_answer_that_is_not_the_object_is_never_taken_for_none_or_an_empty_list(
    api: ApiServer, client: Client, body: bytes
) -> None:
    odd = Answer(body=body)
    deleted = says({"kind": "Status", "status": "Success"})
    api.answers.extend([odd, listed("ConfigMap", config_map())])
    assert client.list_config_maps("load", "") == [ConfigMap.from_json(config_map())]
    api.answers.extend([odd, says(config_map())])
    assert client.get_config_map("load", "mrunners") == ConfigMap.from_json(config_map())
    api.answers.extend([odd, refuses(409)])
    assert client.create_config_map("load", {}) is None
    api.answers.extend([odd, says(config_map())])
    assert client.annotate_config_map("load", "mrunners", "u", {}) is True
    api.answers.extend([odd, deleted])
    assert client.delete_config_map("load", "mrunners", "u") is True
    assert (len(api.received), len(api.answers)) == (10, 0)


def test_a_balancers_404_is_not_taken_for_an_object_that_does_not_exist(
    api: ApiServer, client: Client
) -> None:
    api.answers.extend([Answer(404, b"default backend - 404"), says(config_map())])
    assert client.get_config_map("load", "mrunners") == ConfigMap.from_json(config_map())
    assert client.warnings[0].startswith(
        f"no usable answer from the API server {api.url}: it answered 404, and not as an API "
        "server does (get configmaps load/mrunners); "
    )


def test_a_balancers_400_is_not_taken_for_a_container_without_a_log(
    api: ApiServer, client: Client
) -> None:
    page = Answer(400, b"<html>\n<h1>400 Bad Request</h1>", {"Content-Type": "text/html"})
    api.answers.extend([page, Answer(body=b"log")])
    assert client.read_log("load", "p", "runner", limit_bytes=9) == b"log"
    assert client.warnings[0].startswith(
        f"no usable answer from the API server {api.url}: it answered 400, and not as an API "
        "server does: <html> (get pods/log load/p); "
    )


def test_a_400_of_an_api_server_is_final(api: ApiServer, client: Client) -> None:
    api.answers.append(refuses(400, "container runner is not available"))
    with pytest.raises(ApiStatusError, match="container runner is not available"):
        client.read_log("load", "p", "runner", limit_bytes=9)


@pytest.mark.parametrize("code", [302, 307])
def test_a_redirect_is_not_followed_with_our_token(
    api: ApiServer, client: Client, code: int
) -> None:
    target = f"{api.url}/login?state=secret"
    api.answers.extend([Answer(code, b"<html>", {"Location": target}), Answer(body=b"log")])
    assert client.read_log("load", "p", "runner", limit_bytes=9) == b"log"
    assert [request.path for request in api.received] == [LOG, LOG]
    assert f"it answered {code} and sends to {api.url}/login (get pods/log" in client.warnings[0]


def test_a_page_of_html_is_not_taken_for_a_log(api: ApiServer, client: Client) -> None:
    page = Answer(200, b"<html>Sign in</html>", {"Content-Type": "text/html; charset=utf-8"})
    api.answers.extend([page, Answer(body=b"log", headers={"Content-Type": "text/plain"})])
    assert client.read_log("load", "p", "runner", limit_bytes=9) == b"log"


def test_a_user_without_credentials_is_told_so(
    api: ApiServer, client: Client, tmp_path: Path
) -> None:
    message = 'pods is forbidden: User "system:anonymous" cannot list resource "pods"'
    api.answers.extend([refuses(403, message)] * 2)
    client = Client(api.kubeconfig(tmp_path, username=""))
    with pytest.raises(UnauthorizedError, match=r"got no credentials"):
        client.list_pods("load", "")
    assert [request.token for request in api.received] == [None, None]


def test_a_user_that_is_impersonated_is_named_in_each_request(
    api: ApiServer, tmp_path: Path
) -> None:
    api.answers.append(listed("Pod"))
    user = {"token": "t", "as": "jane", "as-groups": ["one", "two"]}
    assert Client(api.kubeconfig(tmp_path, **user)).list_pods("load", "") == []
    (headers,) = api.headers
    assert headers["Impersonate-User"] == "jane"
    assert headers["Impersonate-Group"] in {"one", "one, two"}


def test_a_token_file_is_read_again_and_its_loss_is_no_trouble(
    api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "TOKEN_FILE_SECONDS", -1.0)
    token = tmp_path / "token"
    token.write_text("one\n")
    api.answers.extend([listed("Pod")] * 3)
    client = Client(api.kubeconfig(tmp_path, tokenFile="token"))
    client.list_pods("load", "")
    token.write_text("two\n")
    client.list_pods("load", "")
    token.unlink()
    client.list_pods("load", "")
    assert [request.token for request in api.received] == ["one", "two", "two"]


def test_a_kubeconfig_that_cannot_be_read_in_mid_run_is_an_outage(
    api: ApiServer, client: Client, tmp_path: Path
) -> None:
    api.answers.extend([listed("Pod"), refuses(401), refuses(401), listed("Pod")])
    client.list_pods("load", "")
    path = tmp_path / "kubeconfig"
    content = path.read_text()
    path.write_text("")

    def restore(seconds: float) -> None:
        del seconds
        path.write_text(content)

    client._retry_policy.sleep = restore
    assert client.list_pods("load", "") == []
    assert client.warnings[0].startswith(f"kubeconfig {path}: it is not a kubeconfig")


def test_what_is_sent_and_received_is_counted_by_verb(api: ApiServer, client: Client) -> None:
    page = listed("ConfigMap", config_map())
    api.answers.extend([refuses(503), page, says(config_map(), 201), refuses(404)])
    manifest: Manifest = {"kind": "ConfigMap", "metadata": {"name": "mrunners"}}
    client.list_config_maps("load", "x=y")
    client.create_config_map("load", manifest)
    client.get_config_map("load", "mrunners")
    created = len(says(config_map()).body)
    assert client.traffic == {
        "list": VerbTraffic(
            requests=2, sent_bytes=0, received_bytes=len(refuses(503).body) + len(page.body)
        ),
        "create": VerbTraffic(
            requests=1, sent_bytes=len(json.dumps(manifest)), received_bytes=created
        ),
        "get": VerbTraffic(requests=1, sent_bytes=0, received_bytes=len(refuses(404).body)),
    }


def test_a_budget_holds_for_all_clients_of_the_process_and_for_retries(
    api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    monkeypatch.setattr("mrunners.kube.flow_control.time", clock)
    flow_control_of.cache_clear()
    kubeconfig = api.kubeconfig(tmp_path)
    first, second = Client(kubeconfig, max_qps=2), Client(kubeconfig, max_qps=2)
    api.answers.extend([says(config_map()), refuses(500), says(config_map()), refuses(404)])
    first.get_config_map("load", "mrunners")
    second.get_config_map("load", "mrunners")
    first.get_config_map("load", "mrunners")
    assert clock.slept == [0.5, 0.5, 0.5]
    flow_control_of.cache_clear()


def test_after_429s_a_client_waits_as_told_and_sends_fewer_requests_at_once(
    api: ApiServer, client: Client
) -> None:
    throttled = Answer(429, b"too many", {"Retry_After": "1"})
    stored = says({**job("j"), "spec": {}}, 201)
    api.answers.extend([stored, *[throttled] * 3, stored])
    for _ in range(2):
        assert client.create_job("load", {"kind": "Job"}) is not None
    assert (client.clock.slept, client.warnings) == ([1, 1, 1], [])
    assert flow_control_of(api.url, None).at_once == 2
