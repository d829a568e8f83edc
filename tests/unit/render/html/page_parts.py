"""A page parsed by Python's own parser, which shares no code with what made the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "input", "wbr"}


@dataclass
class Tag:
    name: str
    attributes: dict[str, str]


@dataclass
class Page(HTMLParser):
    """All elements in order, the text of style and script, and the text that a reader sees."""

    tags: list[Tag] = field(default_factory=list)
    code: dict[str, str] = field(default_factory=dict)
    text: str = ""
    headings: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), attrs
        self.tags.append(Tag(tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)
        if tag in {"h1", "h2", "h3", "h4"}:
            self.headings.append((int(tag[1]), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(Tag(tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        inside = self._open[-1] if self._open else ""
        if inside in {"style", "script"}:
            self.code[inside] = self.code.get(inside, "") + data
            return
        self.text += data
        if any(name in self._open for name in ("h1", "h2", "h3", "h4")):
            level, so_far = self.headings[-1]
            self.headings[-1] = (level, so_far + data.strip())

    def all(self, name: str) -> list[Tag]:
        return [tag for tag in self.tags if tag.name == name]


def parse_page(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    assert page._open == []
    return page
