"""Runs a kubeconfig's exec plugin, by the ExecCredential API of client.authentication.k8s.io.

A plugin may need a person, who signs in in a browser. So what it writes to stderr is shown while it
runs, and the time that it gets is limited. What it prints on stdout is never shown: it holds
credentials.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from mrunners.errors import InvalidInputError, UnauthorizedError, UnreachableError
from mrunners.kube.endpoint import Endpoint
from mrunners.kube.entries import Entry, Material
from mrunners.kube.plugin_process import PluginProcess
from mrunners.kube.tls import ClientCertificate
from mrunners.text import printable

__all__ = ["PluginCredentials", "PluginTimeoutError", "run_plugin"]

_GROUP = "client.authentication.k8s.io"
_VERSIONS = (f"{_GROUP}/v1", f"{_GROUP}/v1beta1")
_MODES = ("Never", "IfAvailable", "Always")
_LINE_LIMIT = 500


class PluginTimeoutError(UnauthorizedError):
    """The plugin did not end in the time that a person needs to sign in."""


@dataclass(frozen=True, slots=True)
class PluginCredentials:
    """The status of an ExecCredential."""

    token: str = field(default="", repr=False)
    certificate: ClientCertificate | None = None
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Plugin:
    """A plugin as a kubeconfig describes it."""

    shown: str
    api_version: str
    command: str
    arguments: tuple[str, ...] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    mode: str
    hint: str


def run_plugin(
    entry: Entry, cluster: Entry, endpoint: Endpoint, warn: Callable[[str], None]
) -> PluginCredentials:
    """Run a user's exec plugin and return its credentials.

    Args:
        entry: The `exec` of the user.
        cluster: The cluster's entry, of which the plugin learns if it wants to.
        endpoint: The server, likewise.
        warn: Shows the user what is waited for.

    Raises:
        InvalidInputError: The plugin is not installed, or its entry or its answer is wrong.
        UnauthorizedError: It failed, or did not end in the time that a sign-in takes.
        UnreachableError: The caller's deadline came before it had ended.
    """
    plugin = _plugin(entry)
    program = shutil.which(plugin.command, path=plugin.environ.get("PATH"))
    if program is None:
        hint = f"; {plugin.hint}" if plugin.hint else "; install it, or set PATH"
        raise InvalidInputError(f"{plugin.shown} is not installed{hint}")
    terminal = sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()
    if plugin.mode == "Always" and not terminal:
        raise InvalidInputError(
            f"{plugin.shown} needs a terminal (interactiveMode is Always), and there is none"
        )
    interactive = terminal and plugin.mode != "Never"
    spec: dict[str, object] = {"interactive": interactive}
    if entry.flag("provideClusterInfo"):
        spec["cluster"] = _cluster_info(cluster, endpoint)
    information = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
    environ = {**plugin.environ, "KUBERNETES_EXEC_INFO": json.dumps(information)}
    process = PluginProcess(
        (program, *plugin.arguments), environ, interactive=interactive, shown=plugin.shown
    )
    ended = process.run(warn)
    if ended.code is None:
        error = UnreachableError if ended.cut_short else PluginTimeoutError
        raise error(
            f"{plugin.shown} did not end within {ended.limit}{_said(ended.stderr)}; sign in first, "
            "or use credentials that need no person"
        )
    if ended.code != 0:
        raise UnauthorizedError(
            f"{plugin.shown} failed (exit {ended.code}){_said(ended.stderr)}; sign in again, or "
            "run the plugin by hand to see why"
        )
    return _credentials(plugin, ended.stdout)


def _plugin(entry: Entry) -> _Plugin:
    command = entry.text("command")
    if not command:
        raise entry.error(f"the exec plugin of {entry} has no command")
    shown = f"kubeconfig {entry.kubeconfig}: its exec plugin {os.path.basename(command)!r}"  # noqa: PTH119
    api_version = entry.text("apiVersion")
    if api_version not in _VERSIONS:
        raise InvalidInputError(
            f"{shown} has the apiVersion {api_version!r}; known: {', '.join(_VERSIONS)}; update "
            "the plugin and the kubeconfig"
        )
    mode = entry.text("interactiveMode") or "IfAvailable"
    if mode not in _MODES:
        raise InvalidInputError(
            f"{shown} has the interactiveMode {mode!r}; known: {', '.join(_MODES)}"
        )
    if os.sep in command:
        # As for other files that a kubeconfig names. A bare name is looked up in PATH.
        command = str(entry.path("command"))
    return _Plugin(
        shown=shown,
        api_version=api_version,
        command=command,
        arguments=tuple(str(argument) for argument in _list(entry, "args")),
        environ={**os.environ, **dict(_variable(entry, item) for item in _list(entry, "env"))},
        mode=mode,
        hint=printable(" ".join(entry.text("installHint").split()), _LINE_LIMIT),
    )


def _list(entry: Entry, key: str) -> list[Any]:
    value = entry.content.get(key)
    if value is not None and not isinstance(value, list):
        raise entry.error(f"{key} of the exec plugin of {entry} is not a list")
    return value or []


def _variable(entry: Entry, item: object) -> tuple[str, str]:
    if not isinstance(item, dict) or not item.get("name"):
        raise entry.error(f"env of the exec plugin of {entry} holds an item without a name")
    value = item.get("value")
    return str(item["name"]), "" if value is None else str(value)


def _cluster_info(cluster: Entry, endpoint: Endpoint) -> dict[str, object]:
    """Return the cluster as in an ExecCredential's spec, without what is empty."""
    authority = cluster.text("certificate-authority-data")
    if not authority and endpoint.authority is not None:
        authority = base64.b64encode(endpoint.authority.content).decode()
    info: dict[str, object] = {
        "server": endpoint.server,
        "tls-server-name": endpoint.tls_server_name,
        "insecure-skip-tls-verify": endpoint.insecure,
        "certificate-authority-data": authority,
        "proxy-url": cluster.text("proxy-url"),
    }
    for extension in _list(cluster, "extensions"):
        if isinstance(extension, dict) and extension.get("name") == f"{_GROUP}/exec":
            info["config"] = extension.get("extension")
    return {key: value for key, value in info.items() if value}


def _said(stderr: bytes) -> str:
    """Return the last line that the plugin wrote, if any, which most often says what is wrong."""
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines()]
    last = next((line for line in reversed(lines) if line), "")
    return f": {printable(last, _LINE_LIMIT)}" if last else ""


def _credentials(plugin: _Plugin, stdout: bytes) -> PluginCredentials:
    """Return the credentials in what the plugin printed, which no message may quote."""
    try:
        answer = json.loads(stdout)
    except (ValueError, RecursionError):
        raise InvalidInputError(f"{plugin.shown} did not print JSON") from None
    status = answer.get("status") if isinstance(answer, dict) else None
    if not isinstance(status, dict) or answer.get("kind") != "ExecCredential":
        raise InvalidInputError(f"{plugin.shown} did not print an ExecCredential with a status")
    if answer.get("apiVersion") != plugin.api_version:
        raise InvalidInputError(
            f"{plugin.shown} printed an ExecCredential of another apiVersion than "
            f"{plugin.api_version}, which the kubeconfig says"
        )
    token, certificate, key = (
        str(status.get(name) or "").strip()
        for name in ("token", "clientCertificateData", "clientKeyData")
    )
    if bool(certificate) != bool(key) or not (token or certificate):
        raise InvalidInputError(
            f"{plugin.shown} printed neither a token nor a certificate with its key"
        )
    origin = f"of the exec plugin {os.path.basename(plugin.command)!r}"  # noqa: PTH119
    pair = ClientCertificate(
        Material(certificate.encode(), f"clientCertificateData {origin}"),
        Material(key.encode(), f"clientKeyData {origin}"),
    )
    return PluginCredentials(token, pair if certificate else None, _expires(plugin, status))


def _expires(plugin: _Plugin, status: Mapping[str, Any]) -> datetime | None:
    text = status.get("expirationTimestamp")
    if not text:
        return None
    try:
        expires = datetime.fromisoformat(str(text))
    except ValueError:
        raise InvalidInputError(
            f"{plugin.shown} printed an expirationTimestamp that is not a time"
        ) from None
    return expires if expires.tzinfo is not None else expires.replace(tzinfo=UTC)
