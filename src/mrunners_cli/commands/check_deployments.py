"""`mrunners check-deployments`: a prefect.yaml, before `prefect deploy` takes it.

It must not deploy anything.
"""

from __future__ import annotations

from pathlib import Path

import click

from mrunners_cli.prefect_setup import prepare_prefect

__all__ = ["check_deployments"]


@click.command(short_help="Check a prefect.yaml more strictly than Prefect.")
@click.argument(
    "file", type=click.Path(path_type=Path, dir_okay=False), default=Path("prefect.yaml")
)
def check_deployments(file: Path) -> None:
    """Check the deployments in FILE (prefect.yaml) more strictly than Prefect does.

    Misspelt keys, entrypoints that cannot be imported, unknown parameters and job variables: all
    of these `prefect deploy` takes without a word.

    \b
    Examples:
      mrunners check-deployments
      mrunners check-deployments deploy/prefect.yaml && prefect deploy --all
    """
    prepare_prefect()
    from mrunners_flows.prefect_yaml import check_deployments as check

    names = check(file)
    click.echo(f"{file}: {len(names)} deployments are good: {', '.join(names)}", err=True)
