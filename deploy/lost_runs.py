"""Create the Prefect automation that marks lost runs as Crashed.

    python deploy/lost_runs.py [--within 90s]

When the process of a flow dies together with its worker, the flow run stays Running: nothing on a
self-hosted server notices. Each run sends heartbeats, by default every 3 minutes, and this
automation marks a run as Crashed when it has sent none for 7 minutes. Runs of other flows are not
affected.

Where every run sends a heartbeat every 30 s, `--within 90s` notices sooner. The command line and
the deployments of prefect.yaml do that by themselves; a pipeline that calls the flow needs
`PREFECT_FLOWS_HEARTBEAT_FREQUENCY=30` in its environment. A silence shorter than two heartbeats
would end healthy runs, so less than 60 s is refused.

The Jobs of a lost run are kept. The next run with `previous_run: collect`, or
`mrunners run --resume`, continues with them.

Source: https://docs.prefect.io/v3/advanced/detect-zombie-flows
"""

from __future__ import annotations

import argparse
import asyncio
from datetime import timedelta

from prefect.automations import Automation
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.exceptions import ObjectNotFound

from mrunners.durations import parse_duration

NAME = "mrunners: mark lost runs as crashed"

# Only these flows, because teams may share a server.
FLOWS = ["multirunners", "mrunners-wait", "mrunners-result", "mrunners-delete"]

# Two of Prefect's default heartbeats (180 s), and a minute for a server that is busy.
SILENCE = timedelta(minutes=7)

# Two of the shortest heartbeats that Prefect takes (30 s).
LEAST_SILENCE = timedelta(seconds=60)


def lost_runs(within: timedelta = SILENCE) -> Automation:
    """Return the automation, without creating it.

    Args:
        within: How long a run may send no heartbeat; longer than the time between two heartbeats.
    """
    return Automation(
        name=NAME,
        description="A flow run that sends no heartbeat has lost its process.",
        trigger=EventTrigger(
            after={"prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.*"},
            match={"prefect.resource.id": ["prefect.flow-run.*"]},
            match_related={"prefect.resource.role": "flow", "prefect.resource.name": FLOWS},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=within,
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED,
                message="no heartbeat for too long: the flow's process or its worker has ended",
            )
        ],
    )


def silence(text: str) -> timedelta:
    """Return the duration that `--within` gives.

    Raises:
        argparse.ArgumentTypeError: It is no duration, or would end healthy runs.
    """
    try:
        within = timedelta(seconds=parse_duration(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if within < LEAST_SILENCE:
        raise argparse.ArgumentTypeError(
            f"must be at least 60s, got {text}: no run sends a heartbeat more often than every "
            "30s, so a shorter silence would end healthy runs"
        )
    return within


async def main(within: timedelta = SILENCE) -> None:
    """Create the automation, or update an existing one."""
    automation = lost_runs(within)
    try:
        existing = await Automation.aread(name=NAME)
    except (ObjectNotFound, ValueError):
        await automation.acreate()
        print(f'automation "{NAME}" created')
        return
    if (existing.trigger, existing.actions) == (automation.trigger, automation.actions):
        print(f'automation "{NAME}" unchanged')
        return
    existing.trigger, existing.actions = automation.trigger, automation.actions
    await existing.aupdate()
    print(f'automation "{NAME}" updated')


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description="Mark flow runs that send no heartbeat as Crashed."
    )
    parser.add_argument(
        "--within",
        metavar="DURATION",
        type=silence,
        default=SILENCE,
        help="how long a run may send no heartbeat; at least two heartbeats, and 60s (default: 7m)",
    )
    asyncio.run(main(parser.parse_args().within))
