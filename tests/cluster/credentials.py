"""Kubeconfigs for tests that must not run as administrator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.env import Env

__all__ = ["kubeconfig_of", "kubeconfig_with_server"]


def kubeconfig_of(env: Env, account: str) -> Path:
    """Write a kubeconfig with nothing but a ServiceAccount's token."""
    config = _admin_config(env)
    token = env.kubectl("create", "token", account).strip()
    config["users"][0]["user"] = {"token": token}
    return _write(env, f"kubeconfig-{account}", config)


def kubeconfig_with_server(env: Env, server: str) -> Path:
    """Write the administrator's kubeconfig with another server address."""
    config = _admin_config(env)
    config["clusters"][0]["cluster"]["server"] = server
    return _write(env, "kubeconfig-elsewhere", config)


def _admin_config(env: Env) -> Any:
    return yaml.safe_load(env.kubectl("config", "view", "--raw", "--flatten"))


def _write(env: Env, name: str, config: Any) -> Path:
    path = env.folder / name
    path.touch(mode=0o600)
    path.write_text(json.dumps(config))
    return path
