"""Events of a run, for Prefect automations; nothing depends on an event having arrived."""

from __future__ import annotations

from enum import StrEnum

from prefect import runtime
from prefect.events import emit_event

from mrunners.plan.plan import RunPlan

__all__ = ["RunEvent", "emit_run_event"]


class RunEvent(StrEnum):
    """What happened to a run."""

    STARTED = "mrunners.run.started"
    FINISHED = "mrunners.run.finished"
    INCOMPLETE = "mrunners.run.incomplete"
    IN_DOUBT = "mrunners.run.in-doubt"


def emit_run_event(event: RunEvent, plan: RunPlan, message: str = "") -> None:
    """Emit an event about a run.

    Args:
        event: What happened.
        plan: The run's plan; its run ID is the resource's.
        message: Text for people.
    """
    emit_event(
        event.value,
        resource={
            "prefect.resource.id": f"mrunners.run.{plan.run_id}",
            "prefect.resource.name": str(plan.ref),
        },
        related=[
            {
                "prefect.resource.id": f"prefect.flow-run.{runtime.flow_run.id}",
                "prefect.resource.role": "flow-run",
            }
        ],
        payload={
            "namespace": plan.namespace,
            "tracker": plan.tracker,
            "run": plan.run_id,
            "jobs": len(plan.jobs),
            "pods": plan.pod_count,
            "message": message,
        },
    )
