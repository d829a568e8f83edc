"""`mrunners check-deployments`: checks a prefect.yaml before `prefect deploy` reads it."""

from __future__ import annotations

from pathlib import Path

import click

from mrunners_cli.console import Console, print_line
from mrunners_cli.prefect_setup import import_prefect, prepare_prefect
from mrunners_cli.spelling import examples

__all__ = ["check_deployments"]

_EXAMPLES = """\
mrunners check-deployments
mrunners check-deployments deploy/prefect.yaml && prefect deploy --all
"""


@click.command(epilog=examples(_EXAMPLES))
@click.argument(
    "file", type=click.Path(path_type=Path, dir_okay=False), default=Path("prefect.yaml")
)
def check_deployments(file: Path) -> None:
    """Check the deployments in FILE (prefect.yaml) more strictly than Prefect does.

    `prefect deploy` silently accepts misspelled keys, entrypoints that cannot be imported, unknown
    parameters and unknown job variables.
    """
    warn = Console(quiet=True).warn
    prepare_prefect(warn)
    import_prefect(warn)
    from mrunners.formatting import counted
    from mrunners_flows.prefect_yaml import validate_deployments

    names = validate_deployments(file)
    print_line(f"{file}: {counted(len(names), 'deployment')} valid: {', '.join(names)}")
