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
from mrunners.kube.retry import Trouble, TroubleKind

__all__ = ["Asked", "no_answer", "ran_into_another", "trouble_of"]

# Admission answers 403 too, and no role mends these.
_NOT_ABOUT_RIGHTS = ("exceeded quota", "is being terminated")

# 500 and 504 come from an API server whose etcd does not answer; 502 and 503 from what is in
# between; 429 from Priority and Fairness.
PASSING_STATUSES = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Asked:
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


def no_answer(asked: Asked, why: str) -> Trouble:
    """The request got no answer, or none that can be read: it may have been carried out."""
    return Trouble(
        TroubleKind.PASSING,
        UnreachableError(
            f"no usable answer from the API server {asked.server}: {why} ({asked}); check that "
            "it runs and that --kubeconfig names the right cluster"
        ),
    )


def trouble_of(asked: Asked, status: int, body: bytes, retry_after: str | None) -> Trouble:
    """What to make of a status that is not a success.

    Args:
        asked: the request.
        status: the HTTP status, 400 or above.
        body: the first bytes of the body; a Status object, or any text (429 is text/plain).
        retry_after: the header, as it came.
    """
    reason, message = _status_words(body)
    if status in PASSING_STATUSES:
        error = UnreachableError(
            f"the API server {asked.server} answers {status} to {asked}: {message}"
        )
        return Trouble(TroubleKind.PASSING, error, _seconds(retry_after))
    if status == 401:
        return Trouble(
            TroubleKind.LASTING,
            UnauthorizedError(
                f"the API server {asked.server} does not accept the credentials ({asked}): "
                f"{message}; sign in again, or check --kubeconfig"
            ),
        )
    if status == 403 and any(word in message for word in _NOT_ABOUT_RIGHTS):
        return Trouble(
            TroubleKind.LASTING,
            ApiStatusError(
                f"the API server refuses to {asked}: {message}", status=status, reason=reason
            ),
        )
    if status == 403:
        return Trouble(
            TroubleKind.FORBIDDEN,
            ForbiddenError(
                f"forbidden: {asked}: {message}; grant it, for example with examples/rbac.yaml",
                verb=asked.verb,
                resource=asked.resource,
                namespace=asked.namespace,
            ),
        )
    if status == 404 and asked.verb == "create":
        return Trouble(
            TroubleKind.LASTING,
            InvalidInputError(
                f"namespace {asked.namespace} does not exist ({message}); create it with: "
                f"kubectl create namespace {asked.namespace}"
            ),
        )
    return Trouble(
        TroubleKind.LASTING,
        ApiStatusError(
            f"the API server {asked.server} refuses to {asked}: {status} {message}",
            status=status,
            reason=reason,
        ),
    )


def ran_into_another(asked: Asked, status: int, body: bytes) -> Trouble | None:
    """Trouble when a creation was refused because another request changed something meanwhile.

    Like `AlreadyExists` it comes with 409, but nothing of that name needs to be there: it is a
    ResourceQuota of the namespace that many creations charge at once.
    """
    if (asked.verb, status, _status_words(body)[0]) != ("create", 409, "Conflict"):
        return None
    return Trouble(TroubleKind.PASSING, UnreachableError(f"{asked}: {_status_words(body)[1]}"))


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
