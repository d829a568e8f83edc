"""Manifests of the smallest roles: those that load profiles need, and that of mrunners itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from mrunners.plan.metadata import Manifest
from mrunners.profiles.access import Access

__all__ = ["OWN_ACCOUNT", "own_rbac", "runner_rbac"]

OWN_ACCOUNT: Final = "mrunners"
_API: Final = "rbac.authorization.k8s.io"

# What each is for stands in examples/rbac.yaml.
_OWN_RULES: Final = (
    ("", "configmaps", ("create", "get", "list", "patch", "delete")),
    ("batch", "jobs", ("create", "get", "list", "watch", "patch")),
    ("", "pods", ("list", "watch", "delete")),
    ("", "pods/log", ("get",)),
    ("", "events", ("list",)),
)


def runner_rbac(namespace: str, accounts: Mapping[str, Iterable[Access]]) -> list[Manifest]:
    """Return the ServiceAccounts of runners, and what lets these send their requests.

    Args:
        namespace: Of the runners.
        accounts: By ServiceAccount, the rights that its pods need.
    """
    manifests: list[Manifest] = []
    for account, rights in accounts.items():
        manifests.append(_account(namespace, account))
        for place, rules in _rules(rights).items():
            manifests += _granted(namespace, account, place, rules)
    return manifests


def own_rbac(namespace: str, profiles: Iterable[tuple[str, str]] = ()) -> list[Manifest]:
    """Return the ServiceAccount of who calls mrunners, and what it needs in the cluster.

    Args:
        namespace: Of the runs.
        profiles: Namespace and name of each ConfigMap that load profiles are read from.
    """
    own_rules: list[Manifest] = [
        {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}
        for group, resource, verbs in _OWN_RULES
    ]
    nodes: list[Manifest] = [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}]
    read = [
        Access(place, "", "configmaps", name, "get")
        for place, name in profiles
        if place != namespace
    ]
    return [
        _account(namespace, OWN_ACCOUNT),
        *_granted(namespace, OWN_ACCOUNT, namespace, own_rules),
        *_granted(namespace, OWN_ACCOUNT, "", nodes),
        *(
            manifest
            for place, rules in _rules(read).items()
            for manifest in _granted(namespace, OWN_ACCOUNT, place, rules)
        ),
    ]


def _rules(rights: Iterable[Access]) -> dict[str, list[Manifest]]:
    """Return the rules by namespace; those of the whole cluster have none."""
    verbs: dict[tuple[str, str, str, str], list[str]] = {}
    for right in rights:
        verbs.setdefault((right.namespace, right.group, right.resource, right.name), []).append(
            right.verb
        )
    rules: dict[str, list[Manifest]] = {}
    for (place, group, resource, name), allowed in _without_repeats(verbs):
        rule: Manifest = {"apiGroups": [group], "resources": [resource]}
        if name:
            rule["resourceNames"] = [name]
        rules.setdefault(place, []).append({**rule, "verbs": allowed})
    return rules


def _without_repeats(
    verbs: Mapping[tuple[str, str, str, str], list[str]],
) -> Iterator[tuple[tuple[str, str, str, str], list[str]]]:
    """Yield the verbs of each resource without those that are granted more widely."""
    for (place, group, resource, name), allowed in verbs.items():
        wider = set(verbs.get(("", group, resource, ""), ())) if place or name else set()
        wider |= set(verbs.get((place, group, resource, ""), ())) if name else set()
        if left := [verb for verb in dict.fromkeys(allowed) if verb not in wider]:
            yield (place, group, resource, name), left


def _account(namespace: str, name: str) -> Manifest:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def _granted(
    namespace: str, account: str, place: str, rules: Iterable[Manifest]
) -> Iterator[Manifest]:
    """Yield a role, and its binding to an account of a namespace."""
    kind = "Role" if place else "ClusterRole"
    # Roles of several namespaces may meet in one place.
    name = account if place == namespace else f"{namespace}-{account}"
    metadata = {"name": name, "namespace": place} if place else {"name": name}
    yield {"apiVersion": f"{_API}/v1", "kind": kind, "metadata": metadata, "rules": list(rules)}
    yield {
        "apiVersion": f"{_API}/v1",
        "kind": f"{kind}Binding",
        "metadata": metadata,
        "roleRef": {"apiGroup": _API, "kind": kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    }
