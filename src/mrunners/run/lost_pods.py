"""Finds out where pods ran that do not exist any more, from what the cluster still tells."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from mrunners.kube.api import Cluster
from mrunners.kube.placements import Placement
from mrunners.reports.outcomes import MissingReason, PodOutcome
from mrunners.status.run_state import JobState

__all__ = ["LostPods"]


@dataclass(slots=True)
class LostPods:
    """The placements of a namespace's pods, read once, and only when a pod is gone.

    A cluster keeps events for an hour by default, so that a pod's node is known for that long.

    Attributes:
        cluster: Where the placements are read.
        namespace: The run's namespace.
    """

    cluster: Cluster
    namespace: str
    _placements: list[Placement] | None = field(default=None, init=False)

    def located(self, job: JobState, outcome: PodOutcome) -> PodOutcome:
        """Return the outcome with the pod's name and node, where it lacks them and they are known.

        Args:
            job: The Job of the pod.
            outcome: Of any pod of the Job.
        """
        if outcome.missing is not MissingReason.POD_GONE or outcome.pod or job.actual is None:
            return outcome
        if self._placements is None:
            self._placements = self.cluster.list_placements(self.namespace)
        # As the Job controller names the pods of an Indexed Job. An earlier Job may have had this
        # name, so that only what is younger than the Job counts.
        name = re.compile(rf"{re.escape(outcome.job)}-{outcome.index}-[a-z0-9]{{5}}")
        placements = [
            placement
            for placement in self._placements
            if placement.node is not None
            and placement.at >= job.actual.created
            and name.fullmatch(placement.pod)
        ]
        if not placements:
            return outcome
        last = max(placements, key=lambda placement: placement.at)
        return replace(outcome, pod=last.pod, node=last.node)
