"""What the command line needs of Prefect before it is imported, and around the flow's call.

Prefect itself is not imported at the top: the settings must be made before that.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import shutil
import signal
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mrunners.errors import InvalidInputError, UnreachableError

if TYPE_CHECKING:
    from prefect.server.api.server import SubprocessASGIServer

__all__ = ["EphemeralServer", "import_prefect", "prefect_errors", "prepare_prefect"]

_DEFAULTS = {
    # An ephemeral server on a fresh machine needs longer than its 20 s (measured: 32 s).
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # So that deploy/lost_runs.py may take a run that is silent for 90 s for lost.
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    # The command reports everything itself; Prefect's own lines would repeat it. Only here: the log
    # that the server keeps with the flow run has them.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
    # A load test on a closed network must not look for an analytics host.
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}

# Prefect has no class of its own for these: its client and its engine raise RuntimeError with such
# a text, and so does what starts its temporary server.
_UNREACHABLE_TEXT = "Failed to reach API"
_NOT_STARTED_TEXT = "ephemeral Prefect API server"

# The exit code of uvicorn when its port was taken; Prefect then tries another one.
_PORT_WAS_TAKEN = 3

# How often Ctrl-C is noticed while the temporary server starts.
_POLL_SECONDS = 0.2

# A database page or two: enough to find out that the disk is full.
_PROBE_BYTES = 64 * 1024


def prepare_prefect(warn: Callable[[str], None]) -> str | None:
    """Set our defaults in this process's environment, where the user has set nothing.

    Args:
        warn: Is told when Prefect's home cannot be written; then it has a temporary one.

    Returns:
        The URL of the Prefect server, if the environment names one.

    Raises:
        InvalidInputError: There is no folder at all that Prefect could write to.
    """
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    _provide_home(warn)
    return os.environ.get("PREFECT_API_URL")


def import_prefect(warn: Callable[[str], None]) -> None:
    """Import Prefect, which reads its settings then: environment, profiles and files.

    Args:
        warn: Is told what Prefect warns of meanwhile.

    Raises:
        InvalidInputError: One line per setting that Prefect does not accept.
    """
    from pydantic import ValidationError

    logging_before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # it logs the same errors, on several lines
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            import prefect.context  # noqa: F401
    except ValidationError as error:
        raise InvalidInputError(_setting_problems(error, os.environ)) from error
    except (ValueError, TypeError, OSError) as error:
        # A broken profiles.toml, prefect.toml, pyproject.toml or .env.
        raise InvalidInputError(
            f"Prefect cannot read its settings: {_in_one_line(error)}; check the profiles in its "
            "home, and prefect.toml, pyproject.toml and .env in this folder"
        ) from error
    finally:
        logging.disable(logging_before)
    for warning in caught:
        if warning.category is UserWarning:
            warn(_in_one_line(warning.message))


@contextmanager
def prefect_errors() -> Iterator[None]:
    """Translate what Prefect raises when no server answers; for the call of a flow only.

    Raises:
        UnreachableError: The configured server does not answer, or the temporary one did not
            start.
    """
    import httpx
    from prefect.settings import PREFECT_API_URL

    try:
        yield
    except (httpx.HTTPError, RuntimeError) as error:
        text = _in_one_line(error) or type(error).__name__
        known = (_UNREACHABLE_TEXT, _NOT_STARTED_TEXT)
        if isinstance(error, RuntimeError) and not any(part in text for part in known):
            raise
        if _NOT_STARTED_TEXT in text or not PREFECT_API_URL.value():
            raise UnreachableError(
                f"the temporary Prefect server did not start, or stopped: {text}; this machine may "
                "be too busy: run again, raise PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS, "
                "or start a server with `prefect server start` and set PREFECT_API_URL"
            ) from error
        raise UnreachableError(
            f"the Prefect server does not answer: {text}; check PREFECT_API_URL, or unset it to "
            "use a temporary server"
        ) from error


class EphemeralServer:
    """The server that Prefect would start by itself; none if one is configured.

    Its process starts at once, so that a caller can import the flows meanwhile. It is out of reach
    of Ctrl-C, which at a terminal goes to all processes of a command: Prefect's own would end
    before the flow has reported how it ended, and the flow would ask for it for one or two minutes
    (measured with Prefect 3.9.1).
    """

    def __init__(self) -> None:
        from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_EPHEMERAL_ENABLED

        self._failures: list[Exception] = []
        self._server: SubprocessASGIServer | None = None
        if PREFECT_API_URL.value() or not PREFECT_SERVER_EPHEMERAL_ENABLED:
            return
        # Imports the whole server, which takes longer than everything else (1.2 to 1.9 s,
        # measured). Here and not in the thread: two threads that import parts of one package can
        # meet modules that are half executed.
        from prefect.server.api.server import SubprocessASGIServer

        self._server = SubprocessASGIServer()
        self._thread = threading.Thread(target=self._start, args=[self._server], daemon=True)
        self._thread.start()

    def _start(self, server: SubprocessASGIServer) -> None:
        # The processes that a thread starts inherit the signals that it blocks. A server is ended
        # by SIGTERM.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            server.start()
        except Exception as error:  # noqa: BLE001 - raised again by the waiting thread
            self._failures.append(error)

    def wait(self) -> None:
        """Wait until the server answers.

        Raises:
            RuntimeError: It does not start.
        """
        while self._server is not None and self._thread.is_alive():
            self._thread.join(_POLL_SECONDS)
            # Prefect waits to the end for a server that has ended already, as on a full disk.
            process = self._server.server_process
            if process is not None and process.poll() not in {None, _PORT_WAS_TAKEN}:
                raise RuntimeError(f"ephemeral Prefect API server: exit code {process.returncode}")
        for error in self._failures:
            raise RuntimeError(f"ephemeral Prefect API server: {error}") from error


def _provide_home(warn: Callable[[str], None]) -> None:
    home = os.environ.get("PREFECT_HOME") or "~/.prefect"
    problem = _write_problem(home)
    if problem is None:
        return
    try:
        temporary = tempfile.mkdtemp(prefix="mrunners-prefect-")
    except OSError as error:
        raise InvalidInputError(
            f"Prefect's home {home} cannot be written ({problem}), nor can a temporary folder; set "
            "PREFECT_HOME to a folder that can"
        ) from error
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    os.environ["PREFECT_HOME"] = temporary
    warn(f"Prefect's home {home} cannot be written ({problem}); using a temporary one for this run")


def _write_problem(folder: str) -> str | None:
    """Return why nothing can be written to a folder, which is created."""
    try:
        path = Path(folder).expanduser()
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path, buffering=0) as probe:
            probe.write(bytes(_PROBE_BYTES))
    except RuntimeError:
        return "this user has no home"
    except OSError as error:
        return error.strerror or str(error)
    return None


def _setting_problems(error: ValueError, environment: Mapping[str, str]) -> list[str]:
    """Return one line per setting; no value is repeated, because some of them are secrets."""
    from pydantic import ValidationError

    assert isinstance(error, ValidationError)
    problems = []
    for details in error.errors(include_url=False, include_context=False, include_input=False):
        # A consequence of another error.
        if details["type"] == "default_factory_not_called":
            continue
        field = ".".join(str(part) for part in details["loc"])
        problems.append(f"{_variable(error.title, field, environment)}: {details['msg']}")
    return problems or [f"Prefect's settings are invalid ({error.title})"]


def _variable(group: str, field: str, environment: Mapping[str, str]) -> str:
    """Return the environment variable of a setting, or its name where it is set elsewhere."""
    # `ServerEphemeralSettings` and `port` are PREFECT_SERVER_EPHEMERAL_PORT, `APISettings` and
    # `url` PREFECT_API_URL.
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", group.removesuffix("Settings")).upper()
    name = "_".join(part for part in ("PREFECT", words, field.upper()) if part)
    return name if name in environment else f"Prefect's setting {name}"


def _in_one_line(error: Exception | Warning | str) -> str:
    return " ".join(str(error).split())
