"""Kubeconfigs: where they are, how several become one, and which of their contexts is used.

The rules are kubectl's: an explicit path is read alone, the files of `KUBECONFIG` are merged, the
first to say something wins, and a pod's token is used only where there is no kubeconfig at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mrunners.errors import InvalidInputError
from mrunners.kube.entries import Entry, kubeconfig_error

__all__ = ["Context", "Kubeconfig", "KubeconfigSource", "read_context"]

DEFAULT_PATH = "~/.kube/config"


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """The content of a kubeconfig.

    Attributes:
        content: As in kubectl's file; it can hold credentials, so a repr leaves it out.
        context: The context to use; empty means the current one.
    """

    content: Mapping[str, Any] = field(repr=False)
    context: str = ""


@dataclass(frozen=True, slots=True)
class KubeconfigSource:
    """Where a kubeconfig that is not a file comes from.

    Attributes:
        name: For messages, as a user would write it.
        read: Returns the current kubeconfig; called again when the credentials have expired.
    """

    name: str
    read: Callable[[], Kubeconfig] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Context:
    """A context of a kubeconfig: its cluster, and its user, which may have no entry.

    Attributes:
        namespace: Where its user works; empty when it sets none.
    """

    name: str
    cluster: Entry
    user: Entry
    namespace: str = ""


def read_context(
    kubeconfig: str | KubeconfigSource, context: str, environ: Mapping[str, str]
) -> Context | None:
    """Read the kubeconfig and choose the context.

    Args:
        kubeconfig: A path or another source; empty means `KUBECONFIG` or the default file.
        context: The context's name; empty means the current one.
        environ: The environment.

    Returns:
        The context; None when nothing names a kubeconfig and the default file does not exist.

    Raises:
        InvalidInputError: The kubeconfig is missing or broken, or has no such context.
    """
    if isinstance(kubeconfig, KubeconfigSource):
        read = kubeconfig.read()
        files = [_File(kubeconfig.name, dict(read.content), Path())]
        return _choose(kubeconfig.name, files, context or read.context)
    if kubeconfig:
        return _choose(kubeconfig, [_read(kubeconfig)], context)
    if given := environ.get("KUBECONFIG"):
        paths = [path for path in given.split(os.pathsep) if path]
        # As for kubectl, a file of several may be missing, but unlike for kubectl not all of them:
        # it would use the pod's token instead, and load a cluster that nobody has named.
        existing = [path for path in paths if _exists(path)] or paths[:1]
        return _choose(given, [_read(path) for path in existing], context)
    if not _exists(DEFAULT_PATH) and not context:
        return None
    return _choose(DEFAULT_PATH, [_read(DEFAULT_PATH)], context)


@dataclass(frozen=True, slots=True)
class _File:
    """A kubeconfig as it was read.

    Attributes:
        name: For messages.
        content: As in the file.
        folder: Where relative paths in it begin.
    """

    name: str
    content: Mapping[str, Any] = field(repr=False)
    folder: Path = field(default_factory=Path)


def _exists(path: str) -> bool:
    return Path(os.path.expanduser(path)).exists()  # noqa: PTH111 - never raises, as Path's does


def _read(given: str) -> _File:
    path = Path(os.path.expanduser(given))  # noqa: PTH111 - likewise
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise InvalidInputError(f"kubeconfig {given}: {_no_file(given)}") from error
    except UnicodeDecodeError as error:
        raise kubeconfig_error(given, "it is not UTF-8 text") from error
    except (OSError, ValueError) as error:
        cause = error.strerror.lower() if isinstance(error, OSError) and error.strerror else error
        raise kubeconfig_error(given, f"it cannot be read: {cause}") from error
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise kubeconfig_error(given, _yaml_problem(error)) from error
    except (ValueError, OverflowError, RecursionError) as error:
        # A date that no calendar has, or a list in a thousand lists.
        raise kubeconfig_error(given, "it is not a kubeconfig") from error
    if not isinstance(content, dict):
        raise kubeconfig_error(given, "it is not a kubeconfig")
    return _File(given, content, path.parent.absolute())


def _no_file(kubeconfig: str) -> str:
    if kubeconfig.startswith("block:"):
        return (
            "only the flows of a deployment read Prefect blocks; run one with --deployment, or "
            "give the path of a kubeconfig"
        )
    return "no such file"


def _yaml_problem(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}"
        return f"it is not YAML: {place}: {error.problem}" if error.problem else place
    return "it is not YAML: it contains characters that are not allowed in YAML"


def _choose(shown: str, files: Sequence[_File], name: str) -> Context:
    currents = (str(file.content.get("current-context") or "") for file in files)
    wanted = name or next(filter(None, currents), "")
    if not wanted:
        raise kubeconfig_error(shown, "it has no current-context; set one or name a context")
    chosen = _entry(shown, files, "context", wanted)
    if chosen is None and name:
        raise InvalidInputError(
            f"context {name!r} does not exist in kubeconfig {shown}; list the contexts with: "
            "kubectl config get-contexts"
        )
    if chosen is None:
        raise kubeconfig_error(shown, f"its current-context {wanted!r} does not exist")
    cluster = _entry(shown, files, "cluster", chosen.text("cluster"))
    if cluster is None:
        named = chosen.text("cluster")
        text = f"context {wanted!r} refers to cluster {named!r}, which does not exist"
        raise kubeconfig_error(shown, text)
    user_name = chosen.text("user")
    user = _entry(shown, files, "user", user_name) if user_name else None
    if user is None and user_name:
        text = f"context {wanted!r} refers to user {user_name!r}, which does not exist"
        raise kubeconfig_error(shown, text)
    user = user or Entry(shown, "user", "", {})
    return Context(wanted, cluster, user, chosen.text("namespace"))


def _entry(shown: str, files: Sequence[_File], kind: str, name: str) -> Entry | None:
    """Return the first entry of that name; None when no file has one."""
    for file in files:
        entries = file.content.get(f"{kind}s") or []
        if not isinstance(entries, list):
            raise kubeconfig_error(file.name, f"its {kind}s are not a list")
        for entry in entries:
            if not isinstance(entry, dict) or "name" not in entry:
                raise kubeconfig_error(file.name, f"one of its {kind}s has no name")
            if str(entry["name"]) != name:
                continue
            content = entry.get(kind) or {}
            if not isinstance(content, dict):
                raise kubeconfig_error(file.name, f"its {kind} {name!r} is not a {kind}")
            return Entry(shown, kind, name, content, file.folder)
    return None
