"""Every error that mrunners raises on purpose, with the exit code that it means.

    MrunnersError
    ├── InvalidInputError        2  what the user gave is wrong; one line per problem
    │   └── InvalidOptionsError     the same, with the field that each problem is about
    ├── RefusedError             3  the tracker belongs to another run, or does not exist
    ├── StillRunningError        4  Jobs of the run can still finish
    ├── IncompleteError          5  finished, but runners failed or reports are missing
    │   └── UnusableReportError     one pod's report (mrunners.reports.outcomes)
    ├── SloViolatedError         8  all reports are merged, and an objective is not met
    ├── InDoubtError             9  all reports are merged, but findings put the figures in doubt
    ├── WaitTimeoutError         6  the given time has passed
    ├── RunCancelledError      130  the flow run was cancelled
    └── ClusterError             7  unreachable, unauthorized, forbidden or refused by the server
        ├── UnreachableError
        ├── UnauthorizedError
        │   └── PluginTimeoutError  nobody signed in (mrunners.kube.exec_plugin)
        ├── ForbiddenError
        └── ApiStatusError          any other status that ends the work

A message says what happened and to what. What to do next is a fact of the error too
(`next_steps`); `mrunners.hints` writes it as command lines. Prefect stores exceptions by pickling
them, so each of these survives `pickle` with its attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum, StrEnum
from typing import ClassVar, NamedTuple, Self

from mrunners.refs import RunRef

__all__ = [
    "ApiStatusError",
    "ClusterError",
    "ExitCode",
    "FieldProblem",
    "ForbiddenError",
    "InDoubtError",
    "IncompleteError",
    "InvalidInputError",
    "InvalidOptionsError",
    "MrunnersError",
    "NextStep",
    "RefusedError",
    "RunCancelledError",
    "SloViolatedError",
    "StillRunningError",
    "UnauthorizedError",
    "UnreachableError",
    "WaitTimeoutError",
]


class ExitCode(IntEnum):
    """The exit codes of the command line; docs/exit-codes.md explains each."""

    DONE = 0
    INTERNAL_ERROR = 1
    INVALID = 2
    REFUSED = 3
    STILL_RUNNING = 4
    INCOMPLETE = 5
    TIMEOUT = 6
    CLUSTER = 7
    SLO_VIOLATED = 8
    IN_DOUBT = 9
    INTERRUPTED = 130
    # 128 + SIGPIPE, as a shell shows it for any other tool.
    BROKEN_PIPE = 141
    TERMINATED = 143


class NextStep(StrEnum):
    """What a user can do about an error."""

    START = "start"
    STATUS = "status"
    WAIT = "wait"
    RESUME = "resume"
    RESUME_SAME_OPTIONS = "resume-same-options"
    REPLACE = "replace"
    RESULT = "result"
    PARTIAL_RESULT = "partial-result"
    FORCE_DELETE = "force-delete"
    OTHER_TRACKER = "other-tracker"
    NAME_TRACKER = "name-tracker"
    LIST_TRACKERS = "list-trackers"
    SET_LIMITS = "set-limits"
    SET_REQUESTS = "set-requests"
    SET_USER = "set-user"
    SET_LABELS = "set-labels"
    SET_ANNOTATIONS = "set-annotations"
    SET_PRIORITY = "set-priority"
    SET_PULL_CREDENTIALS = "set-pull-credentials"
    SET_PULL_POLICY = "set-pull-policy"
    SET_TOLERATION = "set-toleration"
    SET_NODES = "set-nodes"
    SET_ACCOUNT = "set-account"
    SET_TEMPLATE = "set-template"


class MrunnersError(Exception):
    """The root: `except MrunnersError` catches everything that mrunners raises on purpose.

    Attributes:
        run: The run that the error is about, where it is about one.
        next_steps: What to do about it, the most likely first.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL_ERROR
    run: RunRef | None = None
    next_steps: tuple[NextStep, ...] = ()

    def suggest(self, run: RunRef, *steps: NextStep) -> Self:
        """Say which run the error is about and what to do next; return the error itself."""
        self.run = run
        self.next_steps = steps
        return self

    def __reduce__(self) -> tuple[object, ...]:
        # Exception pickles by calling the class with self.args, which breaks as soon as __init__
        # takes keyword arguments; restoring the state does not depend on __init__.
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
        problems: One line per problem, in the order of the input, never empty.
    """

    exit_code = ExitCode.INVALID

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems: tuple[str, ...] = (
            (problems,) if isinstance(problems, str) else tuple(problems)
        )
        super().__init__("\n".join(self.problems))


class FieldProblem(NamedTuple):
    """A problem with one option.

    Attributes:
        field: The path of the option's field, such as `advanced.start_timeout`.
        message: The end of a sentence that begins with the option.
    """

    field: str
    message: str


class InvalidOptionsError(InvalidInputError):
    """Options are wrong.

    Attributes:
        fields: The problems with their fields; each interface spells the fields in its own way.
    """

    def __init__(self, fields: Iterable[FieldProblem]) -> None:
        self.fields = tuple(fields)
        super().__init__(self.spelled(str))

    def spelled(self, spelling: Callable[[str], str]) -> list[str]:
        """Return one line per problem, with each field as an interface spells it."""
        return [f"{spelling(field)}: {message}" for field, message in self.fields]


class RefusedError(MrunnersError):
    """The tracker belongs to another run, or there is none, or there are several.

    Attributes:
        namespace: Where it was looked up.
        tracker: Its name; None when none or several were found.
    """

    exit_code = ExitCode.REFUSED

    def __init__(self, message: str, *, namespace: str, tracker: str | None = None) -> None:
        self.namespace = namespace
        self.tracker = tracker
        super().__init__(message)

    @classmethod
    def of(cls, run: RunRef, message: str, *steps: NextStep) -> RefusedError:
        """Return the error for a run, with what to do next."""
        error = cls(message, namespace=run.namespace, tracker=run.tracker)
        return error.suggest(run, *steps)


class StillRunningError(MrunnersError):
    """Jobs of the run have not finished.

    Attributes:
        jobs: The names of the unfinished Jobs, in plan order.
    """

    exit_code = ExitCode.STILL_RUNNING

    def __init__(self, message: str, *, jobs: Iterable[str]) -> None:
        self.jobs = tuple(jobs)
        super().__init__(message)


class IncompleteError(MrunnersError):
    """The run finished, but pods failed or never started, or reports are missing."""

    exit_code = ExitCode.INCOMPLETE


class SloViolatedError(MrunnersError):
    """Every report is merged, and an objective is violated or cannot be judged."""

    exit_code = ExitCode.SLO_VIOLATED


class InDoubtError(MrunnersError):
    """Every report is merged, but findings put the figures in doubt."""

    exit_code = ExitCode.IN_DOUBT


class WaitTimeoutError(MrunnersError):
    """The given time has passed; the run itself continues.

    Attributes:
        seconds: The time that was given.
    """

    exit_code = ExitCode.TIMEOUT

    def __init__(self, message: str, *, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(message)


class RunCancelledError(MrunnersError):
    """The flow run was cancelled; what is deployed stays unless the policy says otherwise."""

    exit_code = ExitCode.INTERRUPTED


class ClusterError(MrunnersError):
    """The API server could not be reached or refused the request."""

    exit_code = ExitCode.CLUSTER


class UnreachableError(ClusterError):
    """No usable answer came in the time that requests are retried for."""


class UnauthorizedError(ClusterError):
    """401: the credentials are missing, wrong or expired."""


class ForbiddenError(ClusterError):
    """403, also after a retry.

    Attributes:
        verb: As in RBAC, such as `create`.
        resource: As in RBAC, such as `jobs.batch`.
        namespace: The namespace of the request.
    """

    def __init__(self, message: str, *, verb: str, resource: str, namespace: str) -> None:
        self.verb = verb
        self.resource = resource
        self.namespace = namespace
        super().__init__(message)


class ApiStatusError(ClusterError):
    """The API server answered with a status that a retry cannot fix.

    Attributes:
        status: The HTTP status.
        reason: The `reason` of the Status object, such as `Invalid`; empty when there was none.
    """

    def __init__(self, message: str, *, status: int, reason: str = "") -> None:
        self.status = status
        self.reason = reason
        super().__init__(message)
