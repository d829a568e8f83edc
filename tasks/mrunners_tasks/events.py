"""Events of a run, for Prefect automations.

It must not decide anything, and nothing depends on an event having arrived.
"""

from __future__ import annotations

from enum import StrEnum

from prefect import runtime
from prefect.events import emit_event

from mrunners.run.lookup import ExistingRun

__all__ = ["RunEvent", "emit_run_event"]


class RunEvent(StrEnum):
    """What happened to a run."""

    STARTED = "mrunners.run.started"
    FINISHED = "mrunners.run.finished"
    INCOMPLETE = "mrunners.run.incomplete"


def emit_run_event(event: RunEvent, found: ExistingRun, message: str = "") -> None:
    """Emit an event about a run.

    Args:
        event: what happened.
        found: the run; its ID is the resource's.
        message: for people.
    """
    plan = found.plan
    flow_run = runtime.flow_run.id
    emit_event(
        event.value,
        resource={
            "prefect.resource.id": f"mrunners.run.{plan.run_id}",
            "prefect.resource.name": f"{plan.namespace}/{plan.tracker}",
        },
        related=[
            {
                "prefect.resource.id": f"prefect.flow-run.{flow_run}",
                "prefect.resource.role": "flow-run",
            }
        ],
        payload={
            "namespace": plan.namespace,
            "tracker": plan.tracker,
            "run": plan.run_id,
            "jobs": len(plan.jobs),
            "pods": plan.pods,
            "message": message,
        },
    )
