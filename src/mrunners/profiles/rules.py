"""The rules of a load profile that concern several of its fields at once.

It must not need a valid profile: it looks at what was written, so that these mistakes are told
together with those of single fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mrunners.profiles.problems import Place, Problem
from mrunners.profiles.requests import RequestKind

__all__ = ["kinds_problem", "rule_problems", "shares_problem"]


def kinds_problem(kinds: Sequence[RequestKind]) -> str | None:
    """Why an entry of `requests` is not one request.

    Args:
        kinds: those given in the entry.
    Returns: the end of a sentence; None when it is exactly one.
    """
    if not kinds:
        return f"no request kind; give exactly one of {', '.join(RequestKind)}"
    if len(kinds) > 1:
        counted = {2: "two", 3: "three"}.get(len(kinds), str(len(kinds)))
        return f"{counted} request kinds ({', '.join(kinds)}); give exactly one"
    return None


def shares_problem(shares: Sequence[int]) -> str | None:
    """Why kperf could not choose among the requests: it panics when all shares are 0.

    Args:
        shares: those of all requests of a spec.
    Returns: the end of a sentence; None when one can be chosen.
    """
    if shares and sum(shares) == 0:
        return "at least one request needs 'shares' greater than 0"
    return None


def rule_problems(document: Mapping[str, object]) -> Iterator[Problem]:
    """Every broken rule of a profile, whatever else is wrong with it.

    Args:
        document: the profile as loaded from YAML, with `specs`.
    Returns: the problems, in the order of the text.
    """
    for spec_index, spec in enumerate(_list(document.get("specs"))):
        place: Place = ("specs", spec_index)
        entries = _list(spec.get("requests")) if isinstance(spec, Mapping) else []
        shares: list[int] = []
        for index, entry in enumerate(entries):
            if not isinstance(entry, Mapping):
                continue
            kinds = [kind for kind in RequestKind if entry.get(kind.value) is not None]
            if problem := kinds_problem(kinds):
                yield Problem((*place, "requests", index), problem)
            share = entry.get("shares", 0)
            # A bad share is told by its field; here it must not look like 0.
            shares.append(share if type(share) is int and share >= 0 else 1)
        if problem := shares_problem(shares):
            yield Problem(place, problem)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
