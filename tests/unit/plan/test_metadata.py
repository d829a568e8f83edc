from mrunners.plan.metadata import run_selector, tracker_selector, trackers_selector

OURS = "app.kubernetes.io/managed-by=mrunners"
RUNNERS = f"{OURS},app.kubernetes.io/component=runner,mrunners.dev/tracker=night"


def test_the_selectors_name_what_is_ours() -> None:
    assert run_selector("id") == f"{OURS},mrunners.dev/run-id=id"
    assert trackers_selector() == f"{OURS},app.kubernetes.io/component=tracker"
    assert tracker_selector("night") == RUNNERS
