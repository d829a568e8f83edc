"""The Prefect UI's form in a real browser: filled, submitted, and its run's artifacts looked at."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.browsers import running_browser
from tests.cluster.commands import until
from tests.cluster.env import KPERF, Env, profile_text
from tests.prefect.server import PrefectServer

LOOPBACK = "127.0.0.1"

# Top to bottom, as a user reads it; the UI marks what has a default.
FORM = """\
Run
Runners
Runner image
Namespace
Service account (Optional)
Kubeconfig (Optional)
Context (Optional)
Wait for the reports (Optional)
Timeout (Optional)
Fail on findings (Optional)
Advanced (Optional)
Tracker (Optional)
If the tracker exists (Optional)
Spread over nodes (Optional)
Start timeout (Optional)
Report format (Optional)
Node log limit (Optional)
Report logs (Optional)
Run key (Optional)
Before and after (Optional)
Uncollected earlier run (Optional)
Save artifacts (Optional)
If reports are missing (Optional)
After the report is saved (Optional)
If the flow run is cancelled (Optional)
Report as files (Optional)
Folder (Optional)
URL of the folder (Optional)
""".splitlines()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that reaches this machine alone."""
    context = browser.new_context(viewport={"width": 1400, "height": 1400})
    context.route(
        lambda url: urlsplit(url).hostname != LOOPBACK, lambda route: route.abort("blockedbyclient")
    )
    page = context.new_page()
    # The UI takes its time on a busy machine.
    page.set_default_timeout(120_000)
    expect.set_options(timeout=120_000)
    yield page
    context.close()


def _ui(server: PrefectServer, path: str) -> str:
    return f"{server.api.removesuffix('/api')}/v2/{path}"


def _open_form(page: Page, server: PrefectServer) -> None:
    deployment = server.deployment("multirunners/multirunners")["id"]
    page.goto(_ui(server, f"deployments/deployment/{deployment}/run"))
    page.get_by_role("button", name="Submit").wait_for()
    page.get_by_label("Namespace").wait_for()


def _add_runner(page: Page, number: int, uri: str) -> None:
    # Runners are the first list of the form.
    page.get_by_role("button", name="Add item").first.click()
    page.locator("[aria-label='Drag to reorder'] + div textarea").nth(number).fill(uri)


def _submit(page: Page) -> None:
    """Submit the form, and again when the server says that it is busy, as a user does."""

    def accepted() -> bool:
        with page.expect_response(re.compile("/create_flow_run$")) as response:
            page.get_by_role("button", name="Submit").click()
        status = response.value.status
        assert status in (201, 503), response.value.text()
        return status == 201

    until("the form is accepted", accepted, 120, pause=1)


def _picture(page: Page, folder: Path, name: str) -> None:
    """For people: pytest keeps the folders of the last three runs."""
    page.screenshot(path=folder / f"{name}.png", full_page=True)


def test_the_form_has_every_parameter_with_a_title_and_a_description_in_the_order_of_a_run(
    deployed: PrefectServer, page: Page, tmp_path: Path
) -> None:
    _open_form(page, deployed)
    _picture(page, tmp_path, "form")
    lines = [line for line in page.locator("main").inner_text().splitlines() if line]
    shown = lines[lines.index("Parameters") + 1 : lines.index("Enforce Parameter Schema")]
    titles = [number for number, line in enumerate(shown) if line in FORM]
    assert [shown[number] for number in titles] == FORM
    without_description = [
        shown[number] for number in titles if not re.fullmatch(r"[a-zA-Z].*\.", shown[number + 1])
    ]
    assert without_description == []


def test_a_filled_form_starts_a_run_that_completes_and_shows_its_artifacts(
    worker: PrefectServer, env: Env, page: Page, tmp_path: Path
) -> None:
    env.config_map("mixed", load_profile=profile_text(total=40))
    uris = [env.quick(2), f"configmap:///{env.namespace}/mixed?numbers=1"]
    _open_form(page, worker)
    for number, uri in enumerate(uris):
        _add_runner(page, number, uri)
    page.get_by_label("Runner image").fill(KPERF)
    page.get_by_label("Namespace").fill(env.namespace)
    page.get_by_label("Service account").fill("kperf-runner")
    page.get_by_label("Folder", exact=False).first.fill(str(env.folder / "reports"))
    page.get_by_label("URL of the folder").fill("http://127.0.0.1/reports")
    _picture(page, tmp_path, "filled")
    _submit(page)

    (run,) = until("the flow run has begun", lambda: worker.runs_in(env.namespace))
    assert run["parameters"]["options"]["runners"] == uris
    ended = worker.ended(run["id"])
    assert ended["state_name"] == "Completed", json.dumps(ended["state"])
    assert set(env.jobs()) == {"mrunners-0", "mrunners-1"}

    page.goto(_ui(worker, f"runs/flow-run/{run['id']}"))
    expect(page.get_by_text("Completed", exact=True).first).to_be_visible()
    page.get_by_role("tab", name="Artifacts").click()
    name = f"mrunners-{env.namespace}-mrunners"
    for what in ("report", "jobs"):
        expect(page.get_by_text(f"{name}-{what}")).to_be_visible()
    _picture(page, tmp_path, "flow run")

    shown = page.locator("main")
    for artifact in worker.artifacts(run["id"]):
        page.goto(_ui(worker, f"artifacts/artifact/{artifact['id']}"))
        if artifact["type"] == "markdown":
            expect(shown.get_by_role("heading", name="3 of 3 reports merged")).to_be_visible()
            expect(shown.get_by_role("row", name="all requests")).to_be_visible()
            link = shown.get_by_role("link", name="The whole report")
            folder = f"http://127.0.0.1/reports/{env.namespace}/mrunners"
            expect(link).to_have_attribute("href", re.compile(rf"{folder}/[-0-9a-f]+\.html"))
            assert "&amp;" not in shown.inner_text()
        elif artifact["type"] == "table":
            rows = shown.get_by_role("row")
            expect(rows.nth(2)).to_contain_text(uris[1])
            expect(rows).to_have_count(3)
        elif artifact["type"] == "progress":
            expect(shown.get_by_text("3 of 3 pods ended")).to_be_visible()
        _picture(page, tmp_path, str(artifact["type"]))
