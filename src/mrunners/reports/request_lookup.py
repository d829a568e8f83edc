"""Find the one request of a report that a person means by a short form of its name.

kperf names a request by its method and whole URL, such as
`LIST https://10.0.0.1:6443/api/v1/pods?limit=500&timeout=1m0s`. Nobody types that, and its server
differs between clusters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mrunners.errors import InvalidInputError
from mrunners.formatting import request_names, without_server
from mrunners.text import listed, printable, quoted

__all__ = ["find_request"]

_ANY_TEXT = "…"
_NAME_CHARACTERS = 120


def find_request(name: str, requests: Iterable[str]) -> str:
    """Return the request that `name` means.

    Args:
        name: The request as the report names it; or without the server and the parameters that
            all requests share, as the tables show it (`LIST /api/v1/pods`); or with `…` for any
            text (`LIST …/pods`). The query, such as `?limit=500`, may be left out.
        requests: All requests of the report, as it names them.

    Raises:
        InvalidInputError: No request or more than one has this name.
    """
    known = list(requests)
    short = request_names(known)
    shown = short.names
    forms = {
        request: (request, without_server(request, short.server), shown[request])
        for request in known
    }
    exact = [request for request in known if name in forms[request]]
    matches = exact or [
        request for request in known if any(_matches(name, form) for form in forms[request])
    ]
    if len(matches) == 1:
        return matches[0]
    problem = "does not name a request" if not matches else f"names {len(matches)} requests"
    names = listed([printable(shown[request], _NAME_CHARACTERS) for request in matches or known])
    raise InvalidInputError(
        f"{quoted(name)} {problem} of this report; "
        f"{'it has' if not matches else 'name one of'}: {names}"
    )


def _matches(name: str, request: str) -> bool:
    first, *others = map(re.escape, name.split(_ANY_TEXT))
    # The first place of each text will do; trying the later ones too takes a power of the length.
    between = "".join(f"(?>.*?{text})" for text in others[:-1])
    last = f".*{others[-1]}" if others else ""
    query = "" if "?" in name else r"(\?.*)?"
    return re.fullmatch(first + between + last + query, request, re.DOTALL) is not None
