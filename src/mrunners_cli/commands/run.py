"""`mrunners run`: validates, then runs the flow in this process or triggers a deployment.

Prefect is imported only after all input was found valid, because the import takes seconds.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from mrunners.plan.option_table import OPTIONS
from mrunners_cli.cluster_flags import remember_cluster
from mrunners_cli.console import Console
from mrunners_cli.flags import (
    OptionalValues,
    namespace_or_default,
    quiet_option,
    run_options,
    typed_parameters,
)
from mrunners_cli.interruption import say_when_interrupted
from mrunners_cli.prefect_setup import import_prefect, prepare_prefect
from mrunners_cli.prefect_url import check_prefect_url, require_prefect_server, without_user
from mrunners_cli.slo_file import read_slo_files, slo_file_option
from mrunners_cli.spelling import examples, flag_of

if TYPE_CHECKING:
    from mrunners.connection import Connection
    from mrunners.plan.options import RunOptions
    from mrunners_flows.states import RunFailedError

__all__ = ["run"]

_EXAMPLES = """\
mrunners run -n load --runner-image ghcr.io/azure/kperf:0.3.5 \\
    --runners 'file:///etc/load.yaml?numbers=10' \\
    --runners 'configmap:///load/mixed?numbers=2' --wait
mrunners run -n load --resume --wait
mrunners run --deployment multirunners -n load --runner-image … --runners … --wait
"""


@click.command(
    cls=OptionalValues,
    epilog=examples(_EXAMPLES),
)
@run_options
@slo_file_option
@click.option("--resume", is_flag=True, help="Continue the existing run.")
@click.option(
    "--replace",
    is_flag=True,
    help="Replace a finished run even if its report was never collected.",
)
@click.option(
    "--deployment",
    metavar="NAME",
    help="Trigger this Prefect deployment instead of running here. Options that are not given are "
    "the deployment's; paths and kubeconfig are the worker's.",
)
@click.option("--dry-run", is_flag=True, help="Print the manifests as YAML; create nothing.")
@quiet_option
def run(
    slo_file: tuple[Path, ...],
    resume: bool,
    replace: bool,
    deployment: str | None,
    dry_run: bool,
    quiet: bool,
    **options: object,
) -> int:
    """Deploy load runners and print the tracker's name.

    Everything is validated before anything is created, and all errors are reported at once. Only
    the tracker's name goes to stdout. With --wait, the report is printed as a table on stderr, in
    the end.
    """
    from mrunners.errors import ExitCode
    from mrunners.plan.options import IfExists, validate_options

    given = typed_parameters()
    _check_combinations(given, resume=resume, replace=replace)
    options["slo"] = (*cast("tuple[str, ...]", options["slo"]), *read_slo_files(slo_file))
    if "slo_file" in given:
        given |= {"slo"}  # a deployment has no such file
    if_exists = IfExists.RESUME if resume else IfExists.REPLACE if replace else IfExists.REFUSE
    run_options = _run_options({**options, "if_exists": if_exists})
    remember_cluster(run_options.cluster)
    with Console(quiet=quiet, print_tracker=True) as console:
        if deployment is not None:
            if dry_run:
                raise click.UsageError("--dry-run and --deployment are mutually exclusive")
            _prepared_server(console)
            import_prefect(console.warn)
            from mrunners_cli.remote import run_remotely

            return run_remotely(deployment, run_options, given, console)
        say_when_interrupted(lambda: "nothing was created")
        if "timeout" in given and not run_options.wait:
            raise click.UsageError("--timeout requires --wait")
        if "fail_on" in given and not run_options.wait:
            raise click.UsageError("--fail-on requires --wait")
        # The context's namespace is not known before the kubeconfig is read.
        named = run_options.namespace or "unknown"
        validate_options(run_options.model_copy(update={"namespace": named}))
        connection, run_options = _connected(run_options, console)
        if _preflight(connection, run_options, console, dry_run=dry_run):
            console.info(
                f"the load is for {connection.location}, namespace {run_options.namespace}"
            )
            _run_flow(run_options, connection.location.context, console)
    return ExitCode.DONE


def _check_combinations(given: set[str], *, resume: bool, replace: bool) -> None:
    if resume and replace:
        raise click.UsageError("--resume and --replace are mutually exclusive")
    planned = {option.name for option in OPTIONS.values() if option.planned} | {"slo_file"}
    if resume and "runners" not in given and (unused := given & planned):
        flags = ", ".join(flag_of(name) for name in sorted(unused))
        raise click.UsageError(
            f"--resume without --runners takes the plan from the tracker: leave out {flags}, or "
            "give all options that the run was started with"
        )


def _run_options(values: dict[str, object]) -> RunOptions:
    from mrunners.plan.options import RunOptions

    advanced = {name: value for name, value in values.items() if OPTIONS[name].advanced}
    others = {name: value for name, value in values.items() if not OPTIONS[name].advanced}
    return RunOptions.model_validate({**others, "advanced": advanced})


def _connected(options: RunOptions, console: Console) -> tuple[Connection, RunOptions]:
    """Connect; the options get their namespace."""
    from mrunners.connection import connect_to

    connection = connect_to(options.cluster, console)
    namespace = namespace_or_default(options.namespace, connection.location)
    return connection, options.model_copy(update={"namespace": namespace})


def _preflight(
    connection: Connection, options: RunOptions, console: Console, *, dry_run: bool
) -> bool:
    """Find out what a flow would only say seconds later; return whether to run it."""
    from mrunners.formatting import counted
    from mrunners.run.dry_run import dry_run as let_server_judge

    count = len(options.runners)
    # A resumed run may be given none, and takes its profiles from the tracker.
    text = f"reading the load profiles of {counted(count, 'runner')}" if count else ""
    with console.announcing(text) if text else nullcontext():
        action = connection.preflight(options, run_key=options.advanced.run_key or "preview")
    if dry_run:
        from mrunners_cli.output import render_manifests

        click.echo(render_manifests(action), nl=False)
        return False
    let_server_judge(connection.cluster, action)
    return True


def _prepared_server(console: Console) -> str | None:
    """Prepare Prefect; return the URL of its server, if the environment names one."""
    server = prepare_prefect(console.warn)
    if server:
        check_prefect_url(server)
    return server


def _created(options: RunOptions, console: Console) -> str:
    """Return what is true of a run whose flow is interrupted."""
    from mrunners.errors import NextStep
    from mrunners.hints import command

    if console.has_tracker:
        resume = command(NextStep.RESUME, options.ref, options.cluster)
        wait = " --wait" if options.wait else ""
        return f"the run continues; resume it with: {resume}{wait}"
    return f"see what was created with: {command(NextStep.STATUS, options.ref, options.cluster)}"


def _run_flow(options: RunOptions, context: str, console: Console) -> None:
    """Run the flow, in the context that was announced, whatever becomes the current one."""
    server = _prepared_server(console)
    console.working("starting Prefect")
    if server:
        console.info(f"starting the flow on the Prefect server {without_user(server)}")
        require_prefect_server(server)
    import_prefect(console.warn)
    from prefect.exceptions import TerminationSignal
    from prefect.settings import PREFECT_API_URL

    if not server:
        console.info(
            f"starting the flow on the Prefect server {without_user(profile)} of your profile"
            if (profile := PREFECT_API_URL.value())
            else "starting the flow on a temporary Prefect server (10 to 40 seconds; set "
            "PREFECT_API_URL to use a running one)"
        )
    from mrunners.errors import NextStep
    from mrunners.hints import command
    from mrunners_cli.exits import Terminated
    from mrunners_cli.prefect_setup import EphemeralServer, prefect_errors

    ephemeral_server = EphemeralServer()  # starts while the flows are imported
    from mrunners_flows.new_run import multirunners
    from mrunners_flows.policy import RunPolicy
    from mrunners_flows.states import RunFailedError
    from mrunners_tasks._context import observing

    if PREFECT_API_URL.value():  # a profile may name a server too
        check_prefect_url(PREFECT_API_URL.value())
    see_report = f"get the report with: {command(NextStep.RESULT, options.ref, options.cluster)}"
    try:
        with observing(console), prefect_errors():
            ephemeral_server.wait()
            say_when_interrupted(lambda: _created(options, console))
            pinned = options.model_copy(update={"context": context})
            console.working("running the flow")
            outcome = multirunners(pinned, RunPolicy(save=False))
    except TerminationSignal as signal:
        raise Terminated from signal
    except RunFailedError as error:
        shown = console.summary(error.outcome.report)
        console.info(see_report)
        if shown:
            raise _below_its_report(error) from error
        raise
    if outcome.waited:
        if not console.summary(outcome.report):
            console.findings(outcome.report)
        console.info(see_report)
    else:
        console.info(f"wait for it with: {command(NextStep.WAIT, options.ref, options.cluster)}")


def _below_its_report(error: RunFailedError) -> RunFailedError:
    """Return the error for a reader who has just read the report: only what is not in there."""
    from mrunners_flows.states import RunInDoubtError

    report, lines = error.outcome.report, error.outcome.failures
    if not lines and not isinstance(error, RunInDoubtError):
        lines = (report.verdict,)
    elif not lines:
        doubt = "the figures are in doubt" if report.in_doubt else "warnings are a failure here"
        lines = (f"{doubt}: see the findings of the report",)
    below = type(error)("\n".join(lines), error.outcome)
    below.run, below.next_steps = error.run, error.next_steps
    return below
