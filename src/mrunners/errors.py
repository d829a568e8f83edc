"""Every error that mrunners raises on purpose, with the exit code it means.

It must not import anything of the project: all rooms raise from here.

    MrunnersError
    ├── InvalidInputError        2  what the user gave is wrong; one line per mistake
    ├── RefusedError             3  the tracker belongs to another run, or is not there
    ├── StillRunningError        4  something can still finish
    ├── IncompleteError          5  finished, but runners failed or reports are missing
    ├── WaitTimeoutError         6  the time given was used up
    ├── RunCancelledError      130  somebody asked to stop
    └── ClusterError             7  unreachable, unauthorised, forbidden or refused by the server
        ├── UnreachableError
        ├── UnauthorizedError
        ├── ForbiddenError
        └── ApiStatusError          any other status that ends the work

Prefect stores exceptions by pickling them, so each of these survives `pickle` with its facts.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import ClassVar

__all__ = [
    "ApiStatusError",
    "ClusterError",
    "ExitCode",
    "ForbiddenError",
    "IncompleteError",
    "InvalidInputError",
    "MrunnersError",
    "RefusedError",
    "RunCancelledError",
    "StillRunningError",
    "UnauthorizedError",
    "UnreachableError",
    "WaitTimeoutError",
]


class ExitCode(IntEnum):
    """What the command line ends with; docs/exit-codes.md explains each."""

    DONE = 0
    INTERNAL_ERROR = 1
    INVALID = 2
    REFUSED = 3
    STILL_RUNNING = 4
    INCOMPLETE = 5
    TIMEOUT = 6
    CLUSTER = 7
    INTERRUPTED = 130
    TERMINATED = 143


class MrunnersError(Exception):
    """The root: `except MrunnersError` catches all that a user can be told about.

    Its text is complete: what happened, to what, and what to do next.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL_ERROR

    def __reduce__(self) -> tuple[object, ...]:
        # Exception pickles by calling the class with self.args, which breaks as soon as __init__
        # takes keyword facts; restoring the state does not care about __init__.
        return (_restore, (type(self), self.args, self.__dict__))


def _restore(
    cls: type[MrunnersError], args: tuple[object, ...], state: dict[str, object]
) -> MrunnersError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class InvalidInputError(MrunnersError):
    """What the user gave is wrong: a URI, a profile, an option, a kubeconfig, a namespace.

    Attributes:
        problems: one line per mistake, in the order of the input, never empty.
    """

    exit_code = ExitCode.INVALID

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems: tuple[str, ...] = (
            (problems,) if isinstance(problems, str) else tuple(problems)
        )
        super().__init__("\n".join(self.problems))


class RefusedError(MrunnersError):
    """The tracker belongs to another run, or there is none, or there are several.

    Attributes:
        namespace: where it was looked for.
        tracker: its name; None when none or several were found.
    """

    exit_code = ExitCode.REFUSED

    def __init__(self, message: str, *, namespace: str, tracker: str | None = None) -> None:
        self.namespace = namespace
        self.tracker = tracker
        super().__init__(message)


class StillRunningError(MrunnersError):
    """Jobs of the run have not finished.

    Attributes:
        jobs: the names of the unfinished Jobs, in plan order.
    """

    exit_code = ExitCode.STILL_RUNNING

    def __init__(self, message: str, *, jobs: Iterable[str]) -> None:
        self.jobs = tuple(jobs)
        super().__init__(message)


class IncompleteError(MrunnersError):
    """The run ended, but pods failed or never started, or reports are missing."""

    exit_code = ExitCode.INCOMPLETE


class WaitTimeoutError(MrunnersError):
    """The time that the user gave was used up; the run itself goes on.

    Attributes:
        seconds: the time that was given.
    """

    exit_code = ExitCode.TIMEOUT

    def __init__(self, message: str, *, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(message)


class RunCancelledError(MrunnersError):
    """Somebody cancelled the flow run; what is deployed stays unless it was asked for otherwise."""

    exit_code = ExitCode.INTERRUPTED


class ClusterError(MrunnersError):
    """The API server could not be reached or would not do it."""

    exit_code = ExitCode.CLUSTER


class UnreachableError(ClusterError):
    """No usable answer within the patience that the command has."""


class UnauthorizedError(ClusterError):
    """401: the credentials are missing, wrong or expired."""


class ForbiddenError(ClusterError):
    """403, and it stayed.

    Attributes:
        verb: as in RBAC, such as `create`.
        resource: as in RBAC, such as `jobs.batch`.
        namespace: where.
    """

    def __init__(self, message: str, *, verb: str, resource: str, namespace: str) -> None:
        self.verb = verb
        self.resource = resource
        self.namespace = namespace
        super().__init__(message)


class ApiStatusError(ClusterError):
    """The API server answered with a status that repeating cannot mend.

    Attributes:
        status: the HTTP status.
        reason: the `reason` of the Status object, such as `Invalid`; empty when there was none.
    """

    def __init__(self, message: str, *, status: int, reason: str = "") -> None:
        self.status = status
        self.reason = reason
        super().__init__(message)
