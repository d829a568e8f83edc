"""The merge of a pod template onto a runner's pod, and what of any shape it takes."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mrunners.errors import InvalidInputError
from mrunners.plan.planning import plan_run
from mrunners.plan.pod_merge import APPENDED, MERGE_KEYS, NODE_AFFINITY, REQUIRED, merge_pod
from mrunners.plan.pod_options import PodSettings
from mrunners.plan.pod_template import read_pod_template
from tests.unit.env import loaded, options, uris
from tests.unit.plan.test_pod_options import pod_of, with_template


@pytest.mark.parametrize(
    ("base", "over", "merged"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}, {"a": {"c": 2}}),
        ({"a": [1]}, {"a": [2]}, {"a": [2]}),
        (
            {"containers": [{"name": "x", "a": 1}]},
            {"containers": [{"name": "y"}, {"name": "x", "b": 2}]},
            {"containers": [{"name": "x", "a": 1, "b": 2}, {"name": "y"}]},
        ),
        # A volume has one source.
        (
            {"volumes": [{"name": "tmp", "emptyDir": {}}]},
            {"volumes": [{"name": "tmp", "ephemeral": {"a": 1}}]},
            {"volumes": [{"name": "tmp", "ephemeral": {"a": 1}}]},
        ),
        ({"tolerations": [{"key": "a"}]}, {"tolerations": [{"key": "a"}, {"key": "b"}]}, None),
        (
            {"affinity": {"podAntiAffinity": {REQUIRED: [{"a": 1}]}}},
            {"affinity": {"podAntiAffinity": {REQUIRED: [{"b": 1}]}}},
            {"affinity": {"podAntiAffinity": {REQUIRED: [{"a": 1}, {"b": 1}]}}},
        ),
        # Fields of these names that are texts of a user, or another thing's.
        ({}, {"volumes": [{"name": "a", "csi": {"volumeAttributes": {"ports": "1"}}}]}, None),
        ({}, {"nodeSelector": {"containers": "yes"}}, None),
        (
            {},
            {"containers": [{"name": "x", "ports": [{"containerPort": 1, "protocol": "UDP"}]}]},
            None,
        ),
        (
            {
                "topologySpreadConstraints": [
                    {"topologyKey": "a", "whenUnsatisfiable": "b", "maxSkew": 1, "labelSelector": 2}
                ]
            },
            {
                "topologySpreadConstraints": [
                    {"topologyKey": "a", "whenUnsatisfiable": "b", "maxSkew": 3},
                    {"topologyKey": "a", "whenUnsatisfiable": "c"},
                ]
            },
            {
                "topologySpreadConstraints": [
                    {
                        "topologyKey": "a",
                        "whenUnsatisfiable": "b",
                        "maxSkew": 3,
                        "labelSelector": 2,
                    },
                    {"topologyKey": "a", "whenUnsatisfiable": "c"},
                ]
            },
        ),
    ],
)
def test_the_merge_is_kubernetes_strategic_merge(base: Any, over: Any, merged: Any) -> None:
    spec = {"spec": over if merged is None else merged}
    assert merge_pod({"spec": base}, {"spec": over}) == spec


@pytest.mark.parametrize(
    "text",
    [
        "affinity: null",
        "affinity: {nodeAffinity: null, podAntiAffinity: null}",
        f"affinity: {{nodeAffinity: {{{REQUIRED}: null}}, podAntiAffinity: {{{REQUIRED}: null}}}}",
        f"affinity: {{nodeAffinity: {{{REQUIRED}: {{nodeSelectorTerms: [{{matchExpressions: null}}]"
        "}}}",
    ],
)
def test_null_takes_no_pod_off_the_nodes_of_its_group_or_off_the_spread(text: str) -> None:
    runner = loaded(uris(1)[0]).model_copy(update={"node_affinity": {"pool": ("a",)}})
    pods = []
    for template in (None, read_pod_template(f"spec: {{{text}}}".encode())):
        requested = options(runners=uris(1), spread="require")
        pods.append(pod_of(plan_run(requested, [runner], run_key="k", pod_template=template)))
    assert pods[0]["spec"]["affinity"] == pods[1]["spec"]["affinity"]


NAMES = sorted(
    {name for path in (*MERGE_KEYS, *APPENDED) for name in path.split(".")}
    | {"metadata", "labels", "annotations", "nodeSelectorTerms", "matchExpressions", "resources"}
    | {"limits", "requests", "securityContext", "nodeSelector", "key", "kind", "template", "image"}
    | {key for keys in MERGE_KEYS.values() for key in keys}
)
SCALARS = st.sampled_from([None, True, 0, 1.5, "", "runner", "tmp", "profile", "x", "$patch"])


def _mapping(depth: int) -> st.SearchStrategy[Any]:
    below = st.deferred(lambda: _values(depth - 1)) if depth else SCALARS
    return st.dictionaries(st.sampled_from(NAMES), below, max_size=3)


def _values(depth: int) -> st.SearchStrategy[Any]:
    return SCALARS | _mapping(depth) | st.lists(_mapping(depth) | SCALARS, max_size=2)


PLACES = sorted(
    {
        *MERGE_KEYS,
        *APPENDED,
        *(path.rpartition(".")[0] for path in (*MERGE_KEYS, *APPENDED)),
        *(f"{NODE_AFFINITY}.{REQUIRED}{end}" for end in ("", ".nodeSelectorTerms")),
        f"{NODE_AFFINITY}.{REQUIRED}.nodeSelectorTerms.*.matchExpressions",
        "metadata",
        "metadata.labels",
        "spec.nodeSelector",
        "spec.securityContext",
        "spec.containers.*.resources",
        "spec.containers.*.resources.limits",
        "spec.containers.*.securityContext",
        "kind",
    }
)


def placed(path: str, value: Any) -> Any:
    """Return a template with a value at a path, in the runner's container where it is in one."""
    for name in reversed(path.split(".")):
        item = {"name": "runner", **value} if isinstance(value, dict) else value
        value = [item] if name == "*" else {name: value}
    return value


@given(st.sampled_from(PLACES), _values(3), st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_template_of_any_shape_is_merged_or_refused(path: str, value: Any, more: bool) -> None:
    template = placed(path, value)
    try:
        run = with_template(
            json.dumps(template),
            spread="require",
            cpu_limit="2" if more else "",
            run_as_user="7" if more else "",
        )
    except InvalidInputError:
        pass
    else:
        assert pod_of(run)["spec"]["containers"][0]["name"] == "runner"
    # What a tracker holds that somebody has edited.
    with suppress(ValidationError):
        PodSettings(template=template)
