"""Drawings of the merged report as SVG for both colour schemes and both widths of screen.

It must not hand a text that others wrote to matplotlib: `svg` puts such texts in afterwards.
"""
