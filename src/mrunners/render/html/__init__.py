"""The merged report as one HTML file that opens offline and loads nothing.

A MergedReport becomes `headline`, `tables` (records of plain text) and `plots` (SVG), with which
`page` fills `assets/page.html.j2`. Import `page` only when HTML is requested: it imports
matplotlib.
"""
