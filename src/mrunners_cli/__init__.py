"""The command line: one file per command in `commands`, which call `mrunners.connection`.

Modules import click and nothing heavier at the top, so that `--help` is instant.
"""
