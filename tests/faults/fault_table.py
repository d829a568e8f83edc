"""The faults between mrunners and the API server: the columns of the matrix."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum, auto

from tests.faults.request_kinds import RequestKind

__all__ = ["FAULTS", "Action", "Answer", "Fault"]


class Action(Enum):
    """What the proxy does with a request instead of passing it on and returning the answer."""

    RESET_BEFORE = auto()
    """Reset the connection; the request is not carried out."""

    RESET_AFTER = auto()
    """Carry the request out and reset the connection."""

    REFUSE_HANDSHAKE = auto()
    """Close the connection, and the next one before its TLS handshake."""

    HALF = auto()
    """Return the first half of the answer as if it were all of it."""

    HALF_OF_LENGTH = auto()
    """Announce the whole answer, return its first half and close the connection."""

    HALF_OF_CHUNKS = auto()
    """Return the first half of the answer as one chunk and close the connection."""

    OLDER_LIST = auto()
    """Return the first answer that the same LIST got."""

    EMPTY_LIST = auto()
    """Return the answer without its items."""


@dataclass(frozen=True)
class Answer:
    """An answer that the API server did not give.

    Attributes:
        carried_out: Whether the request is carried out all the same.
    """

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    carried_out: bool = False


# A command lists nodes once, and events only while pods start, which may be once too.
_LISTED_ONCE = (RequestKind.LIST_NODES, RequestKind.LIST_EVENTS)


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        name: Its name.
        actions: What happens to consecutive requests of a kind.
        passing: Whether the command must get over it by itself. After any other fault the same
            command, given once more, must do so.
        only_lists: Whether only a LIST can have it.
    """

    name: str
    actions: tuple[Action | Answer, ...]
    passing: bool = True
    only_lists: bool = False

    def applies_to(self, kind: RequestKind) -> bool:
        """Whether a request of that kind can have this fault."""
        if self.actions == (Action.OLDER_LIST,) and kind in _LISTED_ONCE:
            return False
        return kind.lists or not self.only_lists


_HTML = b"<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>"
_ELSEWHERE = (("Location", "https://127.0.0.1:1/sign-in"),)


def _status(code: int, message: str = "no", *, carried_out: bool = False) -> Answer:
    """Return an error as an API server words it."""
    status = {"kind": "Status", "status": "Failure", "message": message, "code": code}
    return Answer(code, json.dumps(status).encode(), carried_out=carried_out)


def _page(status: int, *headers: tuple[str, str]) -> Answer:
    """Return a page that a proxy or a balancer wrote."""
    return Answer(status, _HTML, "text/html", headers)


# As an authorizer says it; a policy that refuses says other things.
_FORBIDDEN = _status(403, 'it is forbidden: User "someone" cannot do this to that resource')

FAULTS = (
    Fault("reset-before", (Action.RESET_BEFORE,)),
    Fault("reset-after", (Action.RESET_AFTER,)),
    Fault("handshake-closed", (Action.REFUSE_HANDSHAKE,)),
    Fault("half", (Action.HALF,)),
    Fault("half-of-length", (Action.HALF_OF_LENGTH,)),
    Fault("half-of-chunks", (Action.HALF_OF_CHUNKS,)),
    Fault("500", (_status(500),)),
    Fault("503", (_status(503),)),
    Fault("504", (_status(504),)),
    Fault("502-html", (_page(502),)),
    Fault("429", (Answer(429, b"too many", "text/plain", (("Retry-After", "1"),)),)),
    Fault("401", (_status(401),)),
    Fault("403-after-reset", (Action.RESET_BEFORE, _FORBIDDEN)),
    Fault("carried-out-500", (_status(500, carried_out=True),)),
    Fault("carried-out-504", (_status(504, carried_out=True),)),
    Fault("200-html", (_page(200),)),
    Fault("200-empty", (Answer(200),)),
    Fault("200-null", (Answer(200, b"null"),)),
    Fault("200-object", (Answer(200, b"{}"),)),
    Fault("200-array", (Answer(200, b"[]"),)),
    Fault("302", (_page(302, *_ELSEWHERE),)),
    Fault("307", (_page(307, *_ELSEWHERE),)),
    Fault("403", (_FORBIDDEN,), passing=False),
    Fault("404", (_status(404),), passing=False),
    Fault("408", (_page(408),), passing=False),
    Fault("409", (_status(409),), passing=False),
    Fault("410", (_status(410),), passing=False),
    Fault("413", (_page(413),), passing=False),
    Fault("older-list", (Action.OLDER_LIST,), passing=False, only_lists=True),
    Fault("empty-list", (Action.EMPTY_LIST,), passing=False, only_lists=True),
)
