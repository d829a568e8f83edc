"""What `run --dry-run` prints: the manifests of a run as a YAML stream.

It must not create anything.
"""

from __future__ import annotations

import yaml

from mrunners.plan.job import job_manifest
from mrunners.plan.tracker import overflow_manifests, place_profiles, tracker_manifest
from mrunners.run.preflight import Decision

__all__ = ["manifests_of"]

# The API server gives the tracker its UID; until then nothing can refer to it.
_NO_UID = "00000000-0000-0000-0000-000000000000"


def manifests_of(decision: Decision) -> str:
    """The tracker, its overflow ConfigMaps and the Jobs, in the order of their creation.

    The owner's UID and the run ID are placeholders: both are given when the run is created.
    """
    plan, profiles = decision.planned.plan, decision.planned.profiles
    places = place_profiles(plan, profiles)
    manifests = [
        tracker_manifest(plan, profiles),
        *overflow_manifests(plan, profiles, _NO_UID),
        *(
            job_manifest(plan, job, profile_place=places[job.profile_digest], tracker_uid=_NO_UID)
            for job in plan.jobs
        ),
    ]
    return yaml.dump_all(manifests, Dumper=_Readable, sort_keys=False, allow_unicode=True)


class _Readable(yaml.SafeDumper):
    """As kubectl prints: texts of several lines as they are, and nothing by reference."""

    def ignore_aliases(self, data: object) -> bool:
        """Write everything out where it stands."""
        del data
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    )


_Readable.add_representer(str, _text)
