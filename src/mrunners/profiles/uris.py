"""Runner URIs: where a load profile is, and how many pods run it.

Only the form is checked here; the sources read the profile.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from mrunners.errors import InvalidInputError
from mrunners.profiles.uri_query import MAX_PODS, read_query
from mrunners.text import did_you_mean, printable, quoted

__all__ = [
    "MAX_PODS",
    "RunnerSpec",
    "UriCheck",
    "check_runner_uri",
    "show_uri",
]

_MAX_URI_LENGTH: Final = 4_096
_MAX_SHOWN_URI: Final = 300

# RFC 3986, appendix B. Matches every text. urllib.parse.urlsplit would not do: it lowercases the
# host and silently drops tabs, newlines and leading control characters.
_URI: Final = re.compile(
    r"(?:(?P<scheme>[^:/?#]*):)?(?://(?P<authority>[^/?#]*))?"
    r"(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?",
    re.DOTALL,
)
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})?")


class RunnerSpec(BaseModel):
    """A parsed runner URI.

    Attributes:
        uri: As given.
        scheme: One of the known schemes, in lowercase.
        path: Absolute, percent-decoded once.
        pod_count: How many pods run the profile: `numbers` in the URI, where it can be left out for
            a runner group, which has a count of its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    uri: str
    scheme: str
    path: str
    pod_count: int | None = Field(default=None, ge=1, le=MAX_PODS)


@dataclass(frozen=True)
class UriCheck:
    """What is known about one URI, valid or not.

    Attributes:
        uri: As given.
        scheme: None when it is missing or unknown.
        path: None when it is missing, relative or wrongly encoded.
        values: The valid values of the query, by key.
        problems: One line per problem; empty when the URI is valid.
    """

    uri: str
    scheme: str | None
    path: str | None
    values: Mapping[str, int]
    problems: tuple[str, ...]

    def spec(self) -> RunnerSpec:
        """Return the parsed URI.

        Raises:
            InvalidInputError: The URI has problems.
        """
        if self.problems or self.scheme is None or self.path is None:
            raise InvalidInputError(self.problems)
        return RunnerSpec(
            uri=self.uri, scheme=self.scheme, path=self.path, pod_count=self.values.get("numbers")
        )


def check_runner_uri(text: str, known_schemes: Collection[str]) -> UriCheck:
    """Parse a runner URI such as `file:///etc/load.yaml?numbers=10` and find all its problems.

    Args:
        text: The URI as the user gave it.
        known_schemes: In lowercase.

    Returns:
        The valid parts and the problems. No problem contains user info or control characters.
    """
    if not text:
        return UriCheck(text, None, None, {}, ("the URI is empty",))
    if len(text) > _MAX_URI_LENGTH:
        problem = f"the URI is longer than {_MAX_URI_LENGTH} characters"
        return UriCheck(text, None, None, {}, (problem,))
    problems = _character_problems(text)
    if problems:
        # With a newline or a blank in it, the parts of the URI cannot be told apart.
        return UriCheck(text, None, None, {}, tuple(problems))

    parts = _URI.fullmatch(text)
    assert parts is not None  # every text matches
    scheme = _read_scheme(parts["scheme"], known_schemes, problems)
    # What comes after an unknown scheme, such as the host of an https URL, is a matter of its own.
    of_path = problems if scheme or not parts["scheme"] else []
    path = _read_path(parts["authority"], parts["path"], scheme, of_path)
    values = read_query(parts["query"], problems)
    if parts["fragment"] is not None:
        problems.append("no fragment (#…) is allowed; in a path, write '#' as %23")
    return UriCheck(text, scheme, path, values, tuple(problems))


def show_uri(text: str) -> str:
    """Return a URI as messages may show it: without user info, short, printable, on one line."""
    scheme, colon, rest = text.partition(":")
    if not colon or not scheme.isalnum():
        scheme, rest = "", text
    # Anything before the last '@' may be a password. Only after three slashes is an '@' part of an
    # ordinary path.
    if "@" in rest and not rest.startswith("///"):
        slashes = "//" if rest.startswith("//") else ""
        rest = f"{slashes}…@{rest.rpartition('@')[2]}"
    return printable(f"{scheme}:{rest}" if scheme else rest, _MAX_SHOWN_URI)


def _character_problems(text: str) -> list[str]:
    problems = []
    for char in dict.fromkeys(text):
        if char.isprintable() and not char.isspace() and char != "\\":
            continue
        try:
            encoded = "".join(f"%{byte:02X}" for byte in char.encode())
        except UnicodeEncodeError:  # a lone surrogate, from undecodable bytes on the command line
            problems.append("the URI is not valid UTF-8")
            continue
        problems.append(
            f"the character {char!r} is not allowed (character {text.index(char) + 1} of the URI); "
            f"in a path, write it as {encoded}"
        )
    return problems


def _read_scheme(
    scheme: str | None, known_schemes: Collection[str], problems: list[str]
) -> str | None:
    if not scheme:
        examples = " or ".join(f"{name}:///…" for name in sorted(known_schemes))
        problems.append(f"the URI has no scheme; it must start with {examples}")
        return None
    # RFC 3986, 3.1: schemes are case-insensitive, lowercase is canonical.
    lowered = scheme.lower()
    if lowered in known_schemes:
        return lowered
    problems.append(f"unknown scheme {quoted(scheme)}{did_you_mean(scheme, known_schemes)}")
    return None


def _read_path(
    authority: str | None, raw_path: str, scheme: str | None, problems: list[str]
) -> str | None:
    example = f"{scheme or 'file'}:///{'namespace/name' if scheme == 'configmap' else 'abs/path'}"
    absolute = True
    if authority:
        absolute = False
        # The text itself is never repeated: each of these parts may contain a password.
        user_info, at, host = authority.rpartition("@")
        if at or "@" in raw_path:
            problems.append("no user info (…@) is allowed")
        name, colon, _ = host.rpartition(":") if ":" in host else (host, "", "")
        if colon:
            problems.append("no port (:…) is allowed")
        if name or not (user_info or at or colon):
            problems.append(
                f"no host is allowed; the path must be absolute: write three slashes, {example}"
            )
    elif authority is None or not raw_path.startswith("/"):
        absolute = False
        problems.append(f"the path must be absolute: write three slashes, {example}")
    decoded = _decode(raw_path, problems)
    return decoded if absolute else None


def _decode(raw_path: str, problems: list[str]) -> str | None:
    if any(match[1] is None for match in _ESCAPE.finditer(raw_path)):
        problems.append(
            "the path has a '%' without two hexadecimal digits after it; write a literal '%' as %25"
        )
        return None
    encoded = raw_path.encode()
    try:
        path = re.sub(rb"%(..)", lambda match: bytes.fromhex(match[1].decode()), encoded).decode()
    except UnicodeDecodeError:
        problems.append("the path's percent escapes are not valid UTF-8")
        return None
    control = next((char for char in path if char != " " and not char.isprintable()), None)
    if control is not None:
        problems.append(
            f"the decoded path contains the character {control!r}, which is not allowed"
        )
        return None
    return path
