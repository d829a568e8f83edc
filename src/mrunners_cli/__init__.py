"""The command line: one file per command; each talks to the core, and only `run` to a flow.

Its modules import click and nothing heavier at the top, so that `--help` is instant.
"""
