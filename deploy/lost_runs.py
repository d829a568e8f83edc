"""Creates the Prefect automation that finds runs whose worker was lost.

    python deploy/lost_runs.py

A flow process that dies with its worker leaves its run Running for ever, and nothing on a
self-hosted server notices. With `PREFECT_FLOWS_HEARTBEAT_FREQUENCY=30` in the environment of the
workers and of pipelines that call the flow (the command line sets it by itself) each run sends a
heartbeat; this automation marks a run Crashed that sent none for 90 seconds. Runs of other flows
are left alone: they may send theirs every 3 minutes, as is Prefect's default.
Whatever the run had deployed stays, and the next one with `leftover: collect`, or
`mrunners run --resume`, goes on with it.

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

# Of these names there are only ours, on a server that teams share.
FLOWS = ["multirunners", "mrunners-wait", "mrunners-result", "mrunners-delete"]

# Three heartbeats of 30 s.
SILENCE = timedelta(seconds=90)


def lost_runs(within: timedelta = SILENCE) -> Automation:
    """The automation, not yet created.

    Args:
        within: how long a run may be silent; longer than the time between two heartbeats.
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
                message="no heartbeat for too long: its process or its worker is gone",
            )
        ],
    )


async def main() -> None:
    """Create it, or bring the one that is there up to date."""
    wanted = lost_runs()
    try:
        there = await Automation.aread(name=NAME)
    except (ObjectNotFound, ValueError):
        await wanted.acreate()
        print(f"created automation {NAME!r}")
        return
    if (there.trigger, there.actions) == (wanted.trigger, wanted.actions):
        print(f"automation {NAME!r} is there already")
        return
    there.trigger, there.actions = wanted.trigger, wanted.actions
    await there.aupdate()
    print(f"brought automation {NAME!r} up to date")


if __name__ == "__main__":
    asyncio.run(main())
