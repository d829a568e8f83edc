"""Create the Prefect automation that marks lost runs as Crashed.

    python deploy/lost_runs.py

When the process of a flow dies together with its worker, the flow run stays Running: nothing on a
self-hosted server notices. Set `PREFECT_FLOWS_HEARTBEAT_FREQUENCY=30` in the environment of the
workers and of pipelines that call the flow; the command line sets it automatically. Each run then
sends a heartbeat every 30 seconds, and this automation marks a run as Crashed when it has sent none
for 90 seconds. Runs of other flows are not affected: by default Prefect sends a heartbeat only
every 3 minutes.

The Jobs of a lost run are kept. The next run with `previous_run: collect`, or
`mrunners run --resume`, continues with them.

Source: https://docs.prefect.io/v3/advanced/detect-zombie-flows
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from prefect.automations import Automation
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.exceptions import ObjectNotFound

NAME = "mrunners: mark lost runs as crashed"

# Only these flows, because teams may share a server.
FLOWS = ["multirunners", "mrunners-wait", "mrunners-result", "mrunners-delete"]

# Three heartbeats of 30 s.
SILENCE = timedelta(seconds=90)


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


async def main() -> None:
    """Create the automation, or update an existing one."""
    automation = lost_runs()
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
    asyncio.run(main())
