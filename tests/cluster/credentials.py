"""Kubeconfigs for the tests that must not be an administrator.

It must not grant anything.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.env import Env

__all__ = ["kubeconfig_of", "kubeconfig_with_server"]


def kubeconfig_of(env: Env, account: str) -> Path:
    """A kubeconfig with a ServiceAccount's token and nothing else."""
    config = _administrators(env)
    token = env.kubectl("create", "token", account).strip()
    config["users"][0]["user"] = {"token": token}
    return _written(env, f"kubeconfig-{account}", config)


def kubeconfig_with_server(env: Env, server: str) -> Path:
    """The administrator's kubeconfig with another address."""
    config = _administrators(env)
    config["clusters"][0]["cluster"]["server"] = server
    return _written(env, "kubeconfig-elsewhere", config)


def _administrators(env: Env) -> Any:
    return yaml.safe_load(env.kubectl("config", "snapshot", "--raw", "--flatten"))


def _written(env: Env, name: str, config: Any) -> Path:
    path = env.folder / name
    path.touch(mode=0o600)
    path.write_text(json.dumps(config))
    return path
