"""Events of a run, for Prefect automations; nothing depends on an event having arrived."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from prefect import runtime
from prefect.events import emit_event

from mrunners.plan.plan import RunPlan
from mrunners.reports.conclusion import Conclusion
from mrunners.reports.merged import MergedReport

__all__ = ["RunEvent", "emit_run_event", "event_figures"]


class RunEvent(StrEnum):
    """What happened to a run."""

    STARTED = "mrunners.run.started"
    FINISHED = "mrunners.run.finished"
    INCOMPLETE = "mrunners.run.incomplete"
    SLO_VIOLATED = "mrunners.run.slo-violated"
    IN_DOUBT = "mrunners.run.in-doubt"


def emit_run_event(
    event: RunEvent, plan: RunPlan, message: str = "", figures: Mapping[str, object] | None = None
) -> None:
    """Emit an event about a run.

    Args:
        event: What happened.
        plan: The run's plan; its run ID is the resource's.
        message: Text for people.
        figures: What else an automation may decide by.
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
            **(figures or {}),
        },
    )


def event_figures(
    report: MergedReport, conclusion: Conclusion, artifact: str | None
) -> dict[str, object]:
    """Return what an automation may decide by when a run has ended.

    Args:
        report: The merged report.
        conclusion: Whether it can be relied on.
        artifact: The key of its artifact; None when it was not saved.
    """
    percentiles = dict(report.percentile_latencies or ())
    return {
        "conclusion": conclusion.value,
        "samples": report.total,
        "errors": report.error_count,
        "p50Seconds": percentiles.get(0.5),
        "p99Seconds": percentiles.get(0.99),
        "artifact": artifact,
    }
