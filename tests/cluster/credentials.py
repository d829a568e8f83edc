"""Kubeconfigs for the tests that must not be an administrator.

It must not grant anything.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.env import Ground

__all__ = ["kubeconfig_of", "kubeconfig_with_server"]


def kubeconfig_of(ground: Ground, account: str) -> Path:
    """A kubeconfig with a ServiceAccount's token and nothing else."""
    config = _administrators(ground)
    token = ground.kubectl("create", "token", account).strip()
    config["users"][0]["user"] = {"token": token}
    return _written(ground, f"kubeconfig-{account}", config)


def kubeconfig_with_server(ground: Ground, server: str) -> Path:
    """The administrator's kubeconfig with another address."""
    config = _administrators(ground)
    config["clusters"][0]["cluster"]["server"] = server
    return _written(ground, "kubeconfig-elsewhere", config)


def _administrators(ground: Ground) -> Any:
    return yaml.safe_load(ground.kubectl("config", "view", "--raw", "--flatten"))


def _written(ground: Ground, name: str, config: Any) -> Path:
    path = ground.folder / name
    path.touch(mode=0o600)
    path.write_text(json.dumps(config))
    return path
