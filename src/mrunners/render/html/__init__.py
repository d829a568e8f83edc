"""The merged report as one HTML file that opens offline and loads nothing.

It must not compute what the report does not say. The way of the data: a MergedReport -> `headline`,
`tables` (records of plain text) and `plots` (SVG) -> `page`, which fills `assets/page.html.j2`.
Import `page` only when HTML is asked for: it brings matplotlib.
"""
