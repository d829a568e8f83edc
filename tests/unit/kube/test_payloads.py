import json

import pytest

from mrunners.errors import UnreachableError
from mrunners.kube.objects import Job
from mrunners.kube.payloads import Page, parse_object, parse_page, parse_record
from mrunners.kube.responses import RequestInfo
from mrunners.kube.retry import FailureKind, RequestFailure
from tests.fakes import Raw

GET = RequestInfo("https://api:6443", "get", "configmaps", "load", "mrunners")
LIST = RequestInfo("https://api:6443", "list", "configmaps", "load")
DELETE = RequestInfo("https://api:6443", "delete", "configmaps", "load", "mrunners")
CONFIG_MAP: Raw = {"kind": "ConfigMap", "metadata": {"name": "mrunners"}}
SUCCESS: Raw = {"kind": "Status", "metadata": {}, "status": "Success"}

NO_OBJECT = [
    (b"null", "JSON that is not an object"),
    (b"[]", "JSON that is not an object"),
    (b"7", "JSON that is not an object"),
    (b"", "text that is not JSON"),
    (b"<html>Sign in</html>", "text that is not JSON"),
    (b"\xff\xfe", "text that is not JSON"),
    (b"[" * 100_000, "text that is not JSON"),
]


def unusable(info: RequestInfo, problem: str) -> str:
    return (
        f"no usable answer from the API server https://api:6443: it sent {problem} ({info}); "
        "check what answers at that address"
    )


def test_the_object_that_was_requested_is_returned() -> None:
    assert parse_object(GET, json.dumps(CONFIG_MAP).encode(), "ConfigMap") == CONFIG_MAP
    assert parse_object(DELETE, json.dumps(SUCCESS).encode(), "Status", "ConfigMap") == SUCCESS


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        *NO_OBJECT,
        (b"{}", "JSON of no kind instead of a ConfigMap"),
        (b'{"kind": "<b>"}', "JSON of no kind instead of a ConfigMap"),
        (b'{"kind": "Job", "metadata": {}}', "a Job instead of a ConfigMap"),
        (json.dumps(SUCCESS).encode(), "a Status instead of a ConfigMap"),
        (b'{"kind": "ConfigMap"}', "a ConfigMap that is not mrunners"),
        (b'{"kind": "ConfigMap", "metadata": {"name": "x"}}', "a ConfigMap that is not mrunners"),
    ],
)
def test_anything_else_is_a_transient_failure(body: bytes, problem: str) -> None:
    with pytest.raises(RequestFailure) as caught:
        parse_object(GET, body, "ConfigMap")
    assert (caught.value.kind, type(caught.value.error), str(caught.value)) == (
        FailureKind.TRANSIENT,
        UnreachableError,
        unusable(GET, problem),
    )


def test_a_status_must_be_that_of_a_success() -> None:
    with pytest.raises(RequestFailure) as caught:
        parse_object(DELETE, b'{"kind": "Status", "status": "Failure"}', "Status")
    assert str(caught.value) == unusable(DELETE, "a Status that does not report success")


@pytest.mark.parametrize("items", [[], None, [CONFIG_MAP]])
def test_a_page_has_items_and_perhaps_a_token(items: list[Raw] | None) -> None:
    page = {"kind": "ConfigMapList", "metadata": {"continue": "more"}, "items": items}
    assert parse_page(LIST, json.dumps(page).encode(), "ConfigMap") == Page(
        tuple(items or ()), "more"
    )


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        *NO_OBJECT,
        (b"{}", "JSON of no kind instead of a ConfigMapList"),
        (b'{"kind": "JobList", "metadata": {}, "items": []}', "a JobList instead of a"),
        (b'{"kind": "ConfigMapList", "metadata": {}}', "a ConfigMapList without items"),
        (b'{"kind": "ConfigMapList", "items": []}', "a ConfigMapList without items"),
        (b'{"kind": "ConfigMapList", "metadata": {}, "items": {}}', "a ConfigMapList without"),
    ],
)
def test_no_other_answer_is_taken_for_an_empty_list(body: bytes, problem: str) -> None:
    with pytest.raises(RequestFailure) as caught:
        parse_page(LIST, body, "ConfigMap")
    assert caught.value.kind is FailureKind.TRANSIENT
    assert f": it sent {problem}" in str(caught.value)


@pytest.mark.parametrize("raw", [None, [], "x", {}, {"metadata": None}, {"metadata": {"name": 1}}])
def test_an_object_without_its_fields_is_a_transient_failure(raw: object) -> None:
    with pytest.raises(RequestFailure) as caught:
        parse_record(LIST, Job.from_json, raw)
    assert str(caught.value) == unusable(LIST, "an object without the fields of its kind")
