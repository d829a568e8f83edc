"""What an HTTP answer of the API server means, in our words: pure translation.

It must not send anything.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from mrunners.errors import (
    ApiStatusError,
    ForbiddenError,
    InvalidInputError,
    UnauthorizedError,
    UnreachableError,
)
from mrunners.kube.retry import FailureKind, RequestFailure

__all__ = ["RequestInfo", "conflict_failure", "failure_from_status", "no_response"]

# Admission answers 403 too, and no role mends these.
_NOT_ABOUT_RIGHTS = ("exceeded quota", "is being terminated")

# 500 and 504 come from an API server whose etcd does not answer; 502 and 503 from what is in
# between; 429 from Priority and Fairness.
TRANSIENT_STATUSES = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """One request, as a user thinks of it.

    Attributes:
        server: the API server's URL.
        verb: as in RBAC: get, list, create, patch, delete.
        resource: as in RBAC, such as `jobs.batch`.
        namespace: where.
        name: of the object; empty for a list.
    """

    server: str
    verb: str
    resource: str
    namespace: str
    name: str = ""

    def __str__(self) -> str:
        target = f"{self.namespace}/{self.name}" if self.name else f"in namespace {self.namespace}"
        return f"{self.verb} {self.resource} {target}"


def no_response(info: RequestInfo, why: str) -> RequestFailure:
    """The request got no answer, or none that can be read: it may have been carried out."""
    return RequestFailure(
        FailureKind.TRANSIENT,
        UnreachableError(
            f"no usable answer from the API server {info.server}: {why} ({info}); check that "
            "it runs and that --kubeconfig names the right cluster"
        ),
    )


def failure_from_status(
    info: RequestInfo, status: int, body: bytes, retry_after: str | None
) -> RequestFailure:
    """What to make of a status that is not a success.

    Args:
        info: the request.
        status: the HTTP status, 400 or above.
        body: the first bytes of the body; a Status object, or any text (429 is text/plain).
        retry_after: the header, as it came.
    """
    reason, message = _status_words(body)
    if status in TRANSIENT_STATUSES:
        error = UnreachableError(
            f"the API server {info.server} answers {status} to {info}: {message}"
        )
        return RequestFailure(FailureKind.TRANSIENT, error, _seconds(retry_after))
    if status == 401:
        return RequestFailure(
            FailureKind.PERMANENT,
            UnauthorizedError(
                f"the API server {info.server} does not accept the credentials ({info}): "
                f"{message}; sign in again, or check --kubeconfig"
            ),
        )
    if status == 403 and any(word in message for word in _NOT_ABOUT_RIGHTS):
        return RequestFailure(
            FailureKind.PERMANENT,
            ApiStatusError(
                f"the API server refuses to {info}: {message}", status=status, reason=reason
            ),
        )
    if status == 403:
        return RequestFailure(
            FailureKind.FORBIDDEN,
            ForbiddenError(
                f"forbidden: {info}: {message}; grant it, for example with examples/rbac.yaml",
                verb=info.verb,
                resource=info.resource,
                namespace=info.namespace,
            ),
        )
    if status == 404 and info.verb == "create":
        return RequestFailure(
            FailureKind.PERMANENT,
            InvalidInputError(
                f"namespace {info.namespace} does not exist ({message}); create it with: "
                f"kubectl create namespace {info.namespace}"
            ),
        )
    return RequestFailure(
        FailureKind.PERMANENT,
        ApiStatusError(
            f"the API server {info.server} refuses to {info}: {status} {message}",
            status=status,
            reason=reason,
        ),
    )


def conflict_failure(info: RequestInfo, status: int, body: bytes) -> RequestFailure | None:
    """RequestFailure when a creation was refused because something changed meanwhile.

    Like `AlreadyExists` it comes with 409, but nothing of that name needs to be there: it is a
    ResourceQuota of the namespace that many creations charge at once.
    """
    if (info.verb, status, _status_words(body)[0]) != ("create", 409, "Conflict"):
        return None
    return RequestFailure(
        FailureKind.TRANSIENT, UnreachableError(f"{info}: {_status_words(body)[1]}")
    )


def _status_words(body: bytes) -> tuple[str, str]:
    """Reason and message of a Status object, or the first line of whatever it is."""
    text = body.decode("utf-8", "replace")
    try:
        status = json.loads(text)
    except (ValueError, RecursionError):
        status = None
    if isinstance(status, dict) and isinstance(status.get("message"), str):
        return str(status.get("reason") or ""), status["message"]
    return "", (text.strip().splitlines() or ["no message"])[0][:300]


def _seconds(retry_after: str | None) -> float | None:
    """The header in seconds; its other form, a date, is not used by API servers."""
    if retry_after is not None and retry_after.strip().isdecimal():
        return float(retry_after)
    return None
