"""Plots of the merged report as SVG, for both color schemes and for wide and narrow screens.

matplotlib never gets text that others wrote, because it could read it as mathematics or markup: it
draws placeholders, and `svg` puts the text in their place afterwards.
"""
