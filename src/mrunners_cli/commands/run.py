"""`mrunners run`: validates, then runs the flow in this process.

It must not import Prefect before all input was found good: that takes seconds. Only what a
deployment is to fill in is checked when its own options are known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mrunners_cli.console import Console
from mrunners_cli.options import kubeconfig_option, quiet_option
from mrunners_cli.prefect_setup import prepare_prefect, require_answer

if TYPE_CHECKING:
    from mrunners.plan.options import RunOptions

__all__ = ["run"]

# What a plan says, so that a run that is resumed by its tracker alone has it already.
_PLANNED = {
    "node_log_limit",
    "report",
    "runner_image",
    "service_account",
    "spread",
    "start_timeout",
}


@click.command()
@click.option("--namespace", "-n", required=True, help="Where the tracker and the Jobs go.")
@click.option("--runner-image", metavar="IMAGE", default="", help="The kperf image.")
@click.option(
    "--runners",
    metavar="URI",
    multiple=True,
    help="A runner: file:///abs/load.yaml?numbers=10 or configmap:///ns/name?numbers=2. Repeat "
    "it for more; each becomes one Job of that many pods.",
)
@click.option(
    "--wait",
    is_flag=False,
    flag_value="true",
    default="false",
    type=click.BOOL,
    metavar="[BOOL]",
    help="Wait until the Jobs have ended and bring the reports home.",
)
@kubeconfig_option
@click.option(
    "--service-account",
    metavar="NAME",
    default="default",
    show_default=True,
    help="The runners' rights come from it.",
)
@click.option(
    "--tracker",
    metavar="NAME",
    default="mrunners",
    show_default=True,
    help="The ConfigMap that owns the Jobs: one run per name and namespace.",
)
@click.option("--resume", is_flag=True, help="Go on with the run that is there.")
@click.option("--replace", is_flag=True, help="Remove a finished run that was never collected.")
@click.option("--timeout", metavar="DURATION", default="", help="With --wait: give up (exit 6).")
@click.option(
    "--start-timeout",
    metavar="DURATION",
    default="5m",
    show_default=True,
    help="A pod that has not started by then counts as not started.",
)
@click.option(
    "--spread",
    type=click.Choice(["prefer", "require", "off"]),
    default="prefer",
    show_default=True,
    help="Over hosts: evenly where possible, at most one pod per host, or as it comes.",
)
@click.option(
    "--report",
    type=click.Choice(["framed", "plain"]),
    default="framed",
    show_default=True,
    help="framed: compressed, with a checksum; plain: for images without a shell.",
)
@click.option(
    "--node-log-limit",
    metavar="SIZE",
    default="10Mi",
    show_default=True,
    help="How much log a host keeps per container (kubelet's containerLogMaxSize).",
)
@click.option(
    "--deployment",
    metavar="NAME",
    help="Trigger this Prefect deployment instead of running here. What is not given is the "
    "deployment's; paths and kubeconfig are the worker's.",
)
@click.option("--dry-run", is_flag=True, help="Print the manifests as YAML; create nothing.")
@quiet_option
def run(
    wait: bool,
    resume: bool,
    replace: bool,
    deployment: str | None,
    dry_run: bool,
    quiet: bool,
    **options: object,
) -> int:
    """Deploy load runners; print the tracker's name.

    Everything is checked before anything is created, and all mistakes are told together. Only
    the tracker's name goes to stdout.

    \b
    Examples:
      mrunners run --namespace load --runner-image ghcr.io/azure/kperf:0.3.5 \\
          --runners 'file:///etc/load.yaml?numbers=10' \\
          --runners 'configmap:///load/mixed?numbers=2' --wait
      mrunners run --namespace load --resume --wait
      mrunners run --deployment multirunners --namespace load --runner-image … --runners … --wait
    """
    from mrunners.errors import ExitCode
    from mrunners.kube.client import KubernetesCluster
    from mrunners.plan.options import AdvancedOptions, IfExists, RunOptions, validate_options
    from mrunners.run.preflight import dry_run_tracker, preflight

    given = _given(click.get_current_context())
    if resume and replace:
        raise click.UsageError("--resume and --replace exclude each other")
    if "timeout" in given and not wait and deployment is None:
        raise click.UsageError("--timeout goes with --wait")
    if resume and not options["runners"] and (ignored := given & _PLANNED):
        names = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(ignored))
        raise click.UsageError(
            f"--resume without --runners takes the run as its tracker has it: leave out {names}, "
            "or give all that the run was started with"
        )
    existing = IfExists.RESUME if resume else IfExists.REPLACE if replace else IfExists.REFUSE
    advanced = {name: options.pop(name) for name in AdvancedOptions.model_fields if name in options}
    asked = RunOptions.model_validate(
        {**options, "wait": wait, "advanced": {**advanced, "if_exists": existing}}
    )
    if deployment is None:
        validate_options(asked)
    elif dry_run:
        raise click.UsageError("--dry-run and --deployment exclude each other")
    with Console(quiet=quiet, print_tracker=True) as console:
        if deployment is not None:
            prepare_prefect()
            from mrunners_cli.remote import run_remotely

            return run_remotely(deployment, asked, given, console)
        cluster = KubernetesCluster(asked.kubeconfig, warn=console.warn)
        action = preflight(cluster, asked, run_key=asked.advanced.run_key or "preview")
        if dry_run:
            from mrunners_cli.output import render_manifests

            click.echo(render_manifests(action), nl=False)
            return ExitCode.DONE
        dry_run_tracker(cluster, action)
        _run_flow(asked, console)
    return ExitCode.DONE


def _given(context: click.Context) -> set[str]:
    """The parameters that stand on the command line; the others have their defaults."""
    return {
        name
        for name in context.params
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    }


def _run_flow(options: RunOptions, console: Console) -> None:
    server = prepare_prefect()
    console.info(
        f"starting the flow on the Prefect server {server}"
        if server
        else "starting the flow on the Prefect server of your profile, or else on one of its own "
        "(10 to 40 seconds; set PREFECT_API_URL to use a running one)"
    )
    if server:
        require_answer(server)
    from prefect.exceptions import TerminationSignal

    from mrunners_cli.ephemeral_server import start_ephemeral_server
    from mrunners_cli.exits import Terminated
    from mrunners_cli.prefect_setup import prefect_errors
    from mrunners_flows.multirunners import multirunners
    from mrunners_flows.policy import RunPolicy
    from mrunners_flows.states import RunIncompleteError, RunOutcome
    from mrunners_tasks._context import observing

    where = f"{options.namespace} --tracker {options.advanced.tracker}"
    try:
        with observing(console), prefect_errors():
            start_ephemeral_server()
            outcome = multirunners(options, RunPolicy(save=False))
            assert isinstance(outcome, RunOutcome)  # a failed state raises its error
    except TerminationSignal as signal:
        raise Terminated from signal
    except RunIncompleteError:
        console.info(f"see the report with: mrunners result {where}")
        raise
    if outcome.report is not None:
        console.info(f"{outcome.report.verdict}; see the report with: mrunners result {where}")
    else:
        console.info(f"wait for it with: mrunners wait {where}")
