"""Turn a matplotlib figure into SVG that follows the page's colors, font and security policy.

matplotlib writes style attributes, which the page's content security policy forbids, and fixed
colors, which would not follow the reader's color scheme. Style declarations become attributes, and
the colors, which are stand-ins, become CSS classes. Text that others wrote is put in last, as text
of the XML tree, so that it is always escaped.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree as ET

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from mrunners.text import printable

__all__ = ["COLORS", "LINES", "Mark", "as_svg", "new_figure", "placeholder", "plot_settings"]

# Stand-ins that matplotlib draws with: each becomes a class, whose color page.css sets.
COLORS: Final[Mapping[str, str]] = {
    name: f"#0000{number:02x}"
    for number, name in enumerate(
        ("ink", "muted", "rule", "accent", "soft", "bad", "warn", "c1", "c2", "c3", "c4", "c5"), 1
    )
}
# Each curve's color and its dashes in points, so that curves differ without color too.
LINES: Final[tuple[tuple[str, tuple[float, ...]], ...]] = (
    ("c1", ()),
    ("c2", (7, 3)),
    ("c3", (2, 2)),
    ("c4", (9, 3, 2, 3)),
    ("c5", (4, 2)),
)

_COLOR_NAMES: Final = {value: name for name, value in COLORS.items()}
_SETTINGS: Final[Mapping[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "mrunners",
    "path.simplify": False,
    "font.size": 12,
}
# CSS properties that SVG also has as attributes; matplotlib writes the others with their defaults.
_ATTRIBUTES: Final = {
    "fill", "fill-opacity", "font-size", "font-weight", "opacity", "stroke", "stroke-dasharray",
    "stroke-dashoffset", "stroke-linecap", "stroke-opacity", "stroke-width", "text-anchor",
}  # fmt: skip
_PLACEHOLDER: Final = re.compile(r"@\d+@")
_NUMBER: Final = re.compile(r"-?\d+\.\d+")
_NO_METADATA: Final = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_SVG: Final = "{http://www.w3.org/2000/svg}"
_HREF: Final = "{http://www.w3.org/1999/xlink}href"

# What is read of a value, and no more of a request's or a node's name.
_MARK_CHARACTERS: Final = 400

# matplotlib has one set of settings per process, and concurrent flows draw on threads.
_SETTINGS_LOCK: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Mark:
    """A part of a plot that tells its values when a pointer or the keyboard is on it.

    Attributes:
        left: Its left edge in pixels from the plot's.
        top: Its upper edge in pixels from the plot's.
        width: In pixels.
        height: In pixels.
        text: The values; may be hostile text.
    """

    left: float
    top: float
    width: float
    height: float
    text: str


@contextmanager
def plot_settings() -> Iterator[None]:
    """Replace the user's matplotlib settings by ours, and restore them afterwards."""
    with _SETTINGS_LOCK, mpl.rc_context():
        mpl.rcdefaults()
        for name, value in _SETTINGS.items():
            mpl.rcParams[name] = value
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return a figure measured in CSS pixels, to be drawn within `plot_settings`."""
    # At 72 dots per inch, one point of matplotlib is one unit of the SVG.
    return Figure(figsize=(width / 72, height / 72), dpi=72, facecolor="none")


def placeholder(number: int) -> str:
    """Return what to draw instead of text that others wrote; `as_svg` puts the text there."""
    return f"@{number}@"


def as_svg(
    figure: Figure,
    *,
    name: str,
    css: str,
    description: str,
    texts: Mapping[str, str] | None = None,
    marks: Sequence[Mark] = (),
) -> Markup:
    """Return the figure as an element of the page.

    Args:
        figure: A figure drawn in the stand-ins of COLORS only.
        name: A name that no other plot on the page has; it prefixes the element's IDs.
        css: The element's CSS classes.
        description: The plot in words, for readers who cannot see it.
        texts: The text for each placeholder; may be hostile.
        marks: What tells its values, in the order in which the keyboard goes through them.

    Returns:
        The same text for the same figure, on every machine.
    """
    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata=_NO_METADATA)
    root = ET.fromstring(out.getvalue())  # noqa: S314 (matplotlib's own output, with no text of others)
    view_box = root.attrib["viewBox"]
    for element in list(root.iter()):
        _drop_invisible(element)
    used = {value[1:] for el in root.iter() if (value := el.get(_HREF, "")).startswith("#")}
    used |= set(re.findall(r"url\(#([\w.-]+)\)", ET.tostring(root, encoding="unicode")))
    for element in root.iter():
        _rewrite(element, name, used, texts or {})
    root.attrib.clear()
    root.attrib.update(
        {
            "class": css,
            "viewBox": view_box,
            "role": "img",
            "aria-label": printable(description, 600),
            "stroke-linejoin": "round",
        }
    )
    for mark in marks:
        _append(root, mark)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 (escaped by ElementTree)


def _append(root: ET.Element, mark: Mark) -> None:
    box = {"x": mark.left, "y": mark.top, "width": mark.width, "height": mark.height}
    rect = ET.SubElement(
        root,
        "rect",
        {
            "class": "mark",
            **{name: f"{value:.2f}".rstrip("0").rstrip(".") for name, value in box.items()},
        },
    )
    # Browsers show it at the pointer; page.js does, and for the keyboard too.
    ET.SubElement(rect, "title").text = printable(mark.text, _MARK_CHARACTERS)


def _drop_invisible(element: ET.Element) -> None:
    for child in list(element):
        if child.tag in {f"{_SVG}style", f"{_SVG}metadata"}:
            element.remove(child)
    element.tail = None
    if element.text is not None and not element.text.strip():
        element.text = None


def _rewrite(element: ET.Element, name: str, used: set[str], texts: Mapping[str, str]) -> None:
    """Rewrite one element in place: no namespace, no style, unique IDs, short numbers, its text."""
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
        element.text = _PLACEHOLDER.sub(lambda match: texts.get(match[0], ""), element.text)


def _style(element: ET.Element, style: str) -> list[str]:
    """Turn declarations into attributes; return the classes `f-<name>`, `s-<name>` of colors."""
    classes = []
    for declaration in style.split(";"):
        prop, _, value = (part.strip() for part in declaration.partition(":"))
        color = _COLOR_NAMES.get(value)
        if color is not None and prop in {"fill", "stroke"}:
            classes.append(f"{prop[0]}-{color}")
        elif prop in _ATTRIBUTES:
            element.set(prop, value)
    return classes


def _rounded(match: re.Match[str]) -> str:
    # Less than a tenth of a pixel is invisible.
    return f"{float(match[0]):.1f}".removesuffix(".0")
