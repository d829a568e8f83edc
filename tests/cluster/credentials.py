"""Kubeconfigs of ServiceAccounts, and of clusters that are not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.commands import Kubectl
from tests.cluster.env import Env

__all__ = ["account_kubeconfig", "kubeconfig_of", "kubeconfig_with_server"]


def account_kubeconfig(kubectl: Kubectl, account: str, folder: Path) -> Path:
    """Write a kubeconfig with nothing but the token of a ServiceAccount of kubectl's namespace."""
    config = _admin_config(kubectl)
    token = kubectl("create", "token", account, "--duration=12h").strip()
    config["users"][0]["user"] = {"token": token}
    return _write(folder / f"kubeconfig-{account}", config)


def kubeconfig_of(env: Env, account: str) -> Path:
    """Write a kubeconfig with nothing but the token of a ServiceAccount of the Env's namespace."""
    return account_kubeconfig(env.kubectl, account, env.folder)


def kubeconfig_with_server(env: Env, server: str) -> Path:
    """Write the administrator's kubeconfig with another server address."""
    config = _admin_config(env.kubectl)
    config["clusters"][0]["cluster"]["server"] = server
    return _write(env.folder / "kubeconfig-elsewhere", config)


def _admin_config(kubectl: Kubectl) -> Any:
    return yaml.safe_load(kubectl("config", "view", "--raw", "--flatten"))


def _write(path: Path, config: Any) -> Path:
    path.touch(mode=0o600)
    path.write_text(json.dumps(config))
    return path
