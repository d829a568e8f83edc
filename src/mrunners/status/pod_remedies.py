"""Finds out which option helps, from what a cluster says about pods that it refuses or keeps.

The texts are those of Kubernetes 1.37, of containerd, and of policies that people publish for
Gatekeeper and Kyverno; the options are facts, which `mrunners.hints` spells.
"""

from __future__ import annotations

import re
from typing import Final

from mrunners.errors import NextStep

__all__ = ["remedies", "remedy_of_end"]

# By the text of an admission plugin, a policy, the scheduler or a kubelet; the first that fits a
# kind counts.
_REFUSED: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), steps)
    for pattern, steps in (
        (r"\bserviceaccounts? .*not found", (NextStep.SET_ACCOUNT,)),
        (r"PriorityClass", (NextStep.SET_PRIORITY,)),
        # ResourceQuota: a pod must have what the quota counts.
        (r"must specify .*limits[.]", (NextStep.SET_LIMITS,)),
        (r"must specify ", (NextStep.SET_REQUESTS,)),
        (r"exceeded quota: .*requested: .*limits[.]", (NextStep.SET_LIMITS, NextStep.SET_REQUESTS)),
        (r"exceeded quota: .*requested: .*(cpu|memory)", (NextStep.SET_REQUESTS,)),
        (r"exceeded quota: ", ()),  # of pods or other objects
        # LimitRange.
        (
            r"(minimum|maximum) (cpu|memory) usage|limit to request ratio",
            (NextStep.SET_LIMITS, NextStep.SET_REQUESTS),
        ),
        (
            r"run_?as_?(user|group)|fsGroup|\buid\b|user id|security context constraint",
            (NextStep.SET_USER,),
        ),
        (r"imagePullSecret|pull secret", (NextStep.SET_PULL_CREDENTIALS,)),
        (r"imagePullPolicy|pull policy", (NextStep.SET_PULL_POLICY,)),
        (r"nodeSelector|node selector|nodeAffinity|node affinity", (NextStep.SET_NODES,)),
        (r"toleration", (NextStep.SET_TOLERATION,)),
        (r"annotation", (NextStep.SET_ANNOTATIONS,)),
        (r"\blabels?\b", (NextStep.SET_LABELS,)),
        (r"\blimits?\b", (NextStep.SET_LIMITS,)),
        (r"resources?[.]|requests[.]", (NextStep.SET_REQUESTS,)),
        (r"PodSecurity|policy|admission webhook", (NextStep.SET_TEMPLATE,)),
    )
)
# Names of a user's choice, in which the words of the patterns mean nothing.
_NAMES: Final = re.compile(
    r"^create \S+ in namespace \S+ (?:was refused[^:]*|failed: the API server \S+ answered \d+): |"
    r'\S+ "[^"]*" is (?:forbidden|invalid): |'
    r"\b(?:Pod|Job)/\S+"
)
_POLICIES: Final = re.compile(
    r"ValidatingAdmissionPolicy '[^']*' with binding '[^']*'|admission webhook \"[^\"]*\""
)
_UNSCHEDULABLE: Final = (
    (re.compile(r"untolerated taint"), NextStep.SET_TOLERATION),
    (re.compile(r"match Pod's node affinity/selector"), NextStep.SET_NODES),
    (re.compile(r"Insufficient (cpu|memory)"), NextStep.SET_REQUESTS),
)
# What registries and container runtimes answer who has no credentials.
_NO_CREDENTIALS: Final = re.compile(
    r"unauthorized|authentication required|authorization failed|no basic auth|access denied|"
    r"denied: |forbidden|\b40[13]\b|pull secret",
    re.IGNORECASE,
)
# By the reason and the message of a container's end, or of a pod's.
_ENDED: Final = (
    (re.compile(r"^OOMKilled"), "raise the memory limit, or send less from each pod"),
    (re.compile(r"^StartError.*exec format error"), "the image is for another architecture"),
    (
        re.compile(r'^StartError.*"/bin/sh".*no such file'),
        "the image has no shell: choose the plain report format",
    ),
    (re.compile(r"^Evicted.*ephemeral"), "raise the limit of ephemeral storage"),
)


def remedy_of_end(reason: str, message: str) -> str:
    """Return what to do about a container that ended without a report; empty if unknown.

    Args:
        reason: The cluster's word, such as OOMKilled or StartError.
        message: What it says.
    """
    end = f"{reason} {message}"
    return next((text for pattern, text in _ENDED if pattern.search(end)), "")


def remedies(reason: str, message: str) -> tuple[NextStep, ...]:
    """Return the options that help against what keeps a pod from starting; none if unknown.

    Args:
        reason: The cluster's word, such as FailedCreate, Unschedulable or ImagePullBackOff.
        message: What it says.
    """
    if reason == "FailedCreate":
        message = _POLICIES.sub("policy", _NAMES.sub("", message))
        return next((steps for pattern, steps in _REFUSED if pattern.search(message)), ())
    if reason in {"Unschedulable", "FailedScheduling"}:
        return tuple(step for pattern, step in _UNSCHEDULABLE if pattern.search(message))
    if reason == "ErrImageNeverPull":
        return (NextStep.SET_PULL_POLICY,)
    if reason in {"ErrImagePull", "ImagePullBackOff", "FailedToRetrieveImagePullSecret"}:
        return (NextStep.SET_PULL_CREDENTIALS,) if _NO_CREDENTIALS.search(message) else ()
    if reason == "CreateContainerConfigError" and "runAsNonRoot" in message:
        return (NextStep.SET_USER,)
    return ()
