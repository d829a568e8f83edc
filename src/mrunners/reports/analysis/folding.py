"""Fold an error's text to its class: what varies from request to request becomes a placeholder.

It must not fold what tells two faults apart: an HTTP status, a Go error's words, a host's name.
"""

from __future__ import annotations

import re

__all__ = ["fold"]

# A message may be as long as its pod likes; its head and tail tell the class.
_HEAD_CHARACTERS = 600
_TAIL_CHARACTERS = 200

_STATUS = re.compile(r"http/[0-9]{3}")

# In this order: an address holds numbers, and an ID holds hexadecimal digits. No pattern has
# nested repetition, so that no text takes more than linear time.
_FOLDS = (
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]{1,5}\b)?"), "<address>"),
    (re.compile(r"\[[0-9a-fA-F:.]{2,45}(?:%[A-Za-z0-9]{1,15})?\](?::[0-9]{1,5}\b)?"), "<address>"),
    (re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{8,18}(?:Z|[+-][0-9:]{4,5})?"), "<time>"),
    # Go's durations: 59.998s, 1m0s, 1h2m3s.
    (
        re.compile(r"\b(?:[0-9]{1,10}h)?(?:[0-9]{1,10}m)?[0-9]{1,10}(?:\.[0-9]{1,9})?[nuµm]?s\b"),
        "<duration>",
    ),
    # What the control plane appends to generated names: -5d4f8c7b9d-x7k2p, -x7k2p (its alphabet
    # has no vowels and no 0, 1, 3: k8s.io/apimachinery, util/rand).
    (
        re.compile(
            r"(?:-[bcdfghjklmnpqrstvwxz2456789]{8,10})?"
            r"-(?=[a-z]{0,4}[2456789])[bcdfghjklmnpqrstvwxz2456789]{5}\b"
        ),
        "-<id>",
    ),
    (re.compile(r"\b(?=[a-fA-F]{0,63}[0-9])[0-9a-fA-F]{8,64}\b"), "<id>"),
    # Not the 2 of http2, the 1 of /api/v1 or the 509 of x509.
    (re.compile(r"(?<![A-Za-z0-9])[0-9]+(?:\.[0-9]+)?|[0-9]{4,}"), "<n>"),
)


def fold(key: str) -> str:
    """The class of one key of kperf's `errorStats`.

    Args:
        key: `http/<status>` or `<type>/<message>`, of any length and content.
    Returns: the key itself for a status; else the text with `<address>`, `<id>`, `<time>`,
        `<duration>` and `<n>` in place of what varies, at most some 800 characters.
    """
    if _STATUS.fullmatch(key):
        return key
    kind, slash, message = key.partition("/")
    if len(kind) > 40:  # kperf's types are short, and http2-protocol must keep its digit
        kind, slash, message = "", "", key
    if len(message) > _HEAD_CHARACTERS + _TAIL_CHARACTERS:
        message = f"{message[:_HEAD_CHARACTERS]}…{message[-_TAIL_CHARACTERS:]}"
    for pattern, placeholder in _FOLDS:
        message = pattern.sub(placeholder, message)
    return kind + slash + message
