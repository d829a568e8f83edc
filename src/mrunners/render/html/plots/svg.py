"""Turn a matplotlib figure into SVG that belongs to the page: its colours, its font, its rules.

It must not draw. matplotlib writes style attributes, which the page's content security policy
forbids, and fixed colours, which would not follow the reader's colour scheme; both are replaced.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from xml.etree import ElementTree as ET

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from mrunners.text import printable

__all__ = ["COLORS", "LINES", "as_svg", "new_figure", "own_settings", "slot"]

# Stand-ins that matplotlib draws with: each becomes a class, whose colour page.css sets.
COLORS: Final[Mapping[str, str]] = {
    name: f"#0000{number:02x}"
    for number, name in enumerate(
        ("ink", "muted", "rule", "accent", "soft", "bad", "warn", "c1", "c2", "c3", "c4", "c5"), 1
    )
}
# Told apart without colour too: the dashes of each curve, in points.
LINES: Final[tuple[tuple[str, tuple[float, ...]], ...]] = (
    ("c1", ()),
    ("c2", (7, 3)),
    ("c3", (2, 2)),
    ("c4", (9, 3, 2, 3)),
    ("c5", (4, 2)),
)

_TOKENS: Final = {value: name for name, value in COLORS.items()}
_SETTINGS: Final[Mapping[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "mrunners",
    "path.simplify": False,
    "font.size": 12,
}
# CSS properties that SVG also takes as attributes; everything else of matplotlib's is a default.
_ATTRIBUTES: Final = {
    "fill", "fill-opacity", "font-size", "font-weight", "opacity", "stroke", "stroke-dasharray",
    "stroke-dashoffset", "stroke-linecap", "stroke-opacity", "stroke-width", "text-anchor",
}  # fmt: skip
_SLOT: Final = re.compile(r"@\d+@")
_NUMBER: Final = re.compile(r"-?\d+\.\d+")


# The settings are one set for the whole process; flows side by side draw on threads.
_ONE_AT_A_TIME: Final = threading.Lock()


@contextmanager
def own_settings() -> Iterator[None]:
    """No setting of the user's own matplotlib within, and all of them again afterwards."""
    with _ONE_AT_A_TIME, mpl.rc_context():
        mpl.rcdefaults()
        for name, value in _SETTINGS.items():
            mpl.rcParams[name] = value
        yield


def new_figure(width: float, height: float) -> Figure:
    """A figure measured in CSS pixels; to be made and drawn within `own_settings`."""
    # 72 points to the inch make a point of matplotlib's one unit of the SVG.
    return Figure(figsize=(width / 72, height / 72), dpi=72, facecolor="none")


def slot(number: int) -> str:
    """What to draw instead of text that others wrote; `as_svg` puts the text in its place."""
    return f"@{number}@"


def as_svg(
    figure: Figure, *, name: str, css: str, description: str, texts: Mapping[str, str] | None = None
) -> Markup:
    """The figure as an element of the page.

    Args:
        figure: drawn with the stand-ins of COLORS only.
        name: unique on the page; it keeps the element's own references apart from others'.
        css: the class of the element.
        description: what a reader who cannot see the plot is told.
        texts: for each slot its text, which may be hostile.
    Returns: the same text for the same figure, on every machine.
    """
    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata=_NO_METADATA)
    root = ET.fromstring(out.getvalue())  # noqa: S314 (matplotlib's own, with no text of others)
    snapshot = root.attrib["viewBox"]
    for element in list(root.iter()):
        _drop_what_is_not_drawn(element)
    used = {value[1:] for el in root.iter() if (value := el.get(_HREF, "")).startswith("#")}
    used |= set(re.findall(r"url\(#([\w.-]+)\)", ET.tostring(root, encoding="unicode")))
    for element in root.iter():
        _make_own(element, name, used, texts or {})
    root.attrib.clear()
    root.attrib.update(
        {
            "class": css,
            "viewBox": snapshot,
            "role": "img",
            "aria-label": printable(description, 600),
            "stroke-linejoin": "round",
        }
    )
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 (escaped by ElementTree)


_NO_METADATA: Final = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_SVG: Final = "{http://www.w3.org/2000/svg}"
_HREF: Final = "{http://www.w3.org/1999/xlink}href"


def _drop_what_is_not_drawn(element: ET.Element) -> None:
    for child in list(element):
        if child.tag in {f"{_SVG}style", f"{_SVG}metadata"}:
            element.remove(child)
    element.tail = None
    if element.text is not None and not element.text.strip():
        element.text = None


def _make_own(element: ET.Element, name: str, used: set[str], texts: Mapping[str, str]) -> None:
    element.tag = element.tag.removeprefix(_SVG)
    attributes = dict(element.attrib)
    element.attrib.clear()
    classes = []
    for key, value in attributes.items():
        if key == "style":
            classes += _style(element, value)
        elif key == "id":
            if value in used:
                element.set("id", f"{name}-{value}")
        elif key == _HREF:
            element.set("href", f"#{name}-{value[1:]}")
        elif key == "clip-path":
            element.set(key, value.replace("url(#", f"url(#{name}-"))
        elif key == "d":
            element.set(key, " ".join(_NUMBER.sub(_rounded, value).split()))
        else:
            element.set(key, _NUMBER.sub(_rounded, value))
    if classes:
        element.set("class", " ".join(classes))
    if element.text is not None:
        element.text = _SLOT.sub(lambda found: texts.get(found[0], ""), element.text)


def _style(element: ET.Element, style: str) -> list[str]:
    """Declarations become attributes; stand-ins become classes `f-<name>` and `s-<name>`."""
    classes = []
    for declaration in style.split(";"):
        prop, _, value = (part.strip() for part in declaration.partition(":"))
        token = _TOKENS.get(value)
        if token is not None and prop in {"fill", "stroke"}:
            classes.append(f"{prop[0]}-{token}")
        elif prop in _ATTRIBUTES:
            element.set(prop, value)
    return classes


def _rounded(found: re.Match[str]) -> str:
    # A tenth of a pixel is not to be seen.
    return f"{float(found[0]):.1f}".removesuffix(".0")
