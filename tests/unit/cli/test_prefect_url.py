"""A Prefect server that does not answer, or is not one, is known before the flow begins."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from mrunners.errors import ExitCode, InvalidInputError, UnreachableError
from mrunners_cli.commands import run as run_module
from mrunners_cli.console import Console
from mrunners_cli.exits import exit_code_of
from mrunners_cli.main import cli
from mrunners_cli.prefect_url import check_prefect_url, require_prefect_server, without_user
from mrunners_cli.remote import run_remotely
from tests.unit.env import options

NO_URL = (
    "PREFECT_API_URL must be a URL such as http://127.0.0.1:4200/api; set it so, or unset it to "
    "run without a server"
)
CONSOLE = Console(quiet=True)


@contextmanager
def server(answers: Callable[[str], tuple[int, bytes]]) -> Iterator[str]:
    """Serve HTTP on a free port; `answers` maps a path to a status and a body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers(self.path)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", body.decode())
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as served:
        Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()


def prefect(path: str) -> tuple[int, bytes]:
    """Answer as a Prefect server: the page for whatever is not the API."""
    return (200, b"true") if path == "/api/health" else (200, b"<!doctype html>" + b" " * 1000)


def test_a_server_that_answers_is_fine() -> None:
    with server(prefect) as url:
        require_prefect_server(f"{url}/api")
        require_prefect_server(f"{url}/api/")
        require_prefect_server(f"{url}/api".replace("//", "//me:hunter2@"))


def test_a_server_behind_a_login_is_left_to_prefect() -> None:
    with server(lambda path: (401, b"")) as url:
        require_prefect_server(f"{url}/api")
        require_prefect_server(url)


def test_a_url_without_api_is_named_with_it() -> None:
    with server(prefect) as url, pytest.raises(InvalidInputError) as caught:
        require_prefect_server(url)
    assert str(caught.value) == f"PREFECT_API_URL lacks the /api at its end: {url}/api"


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "127.0.0.1:4200/api",
        "ftp://host/api",
        "http://",
        "http://[::1/api",
        "http://host:port/api",
        "http://host:99999/api",
        "http://host:0/api",
        "http://ho st/api",
        "http://hö.st/api",
        "http://host/\n",
        "http://a..b:4200/api",
        "http://.a/api",
        f"http://{'a' * 64}.b/api",
        "http://[::1]x/api",
        "http://[1::2::3]/api",
        "http://[v1.a]/api",
        "http://1.2.3.400/api",
        "http://me:hunter2@/api",
        "http://host:1:2/api",
    ],
)
def test_what_is_no_url_is_refused_before_anything_is_done_with_it(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_prefect_url(text)
    assert str(caught.value) == NO_URL
    monkeypatch.setattr(run_module, "prepare_prefect", lambda _: text)
    args = ["run", "--namespace", "load", "--deployment", "nightly"]
    for command in (
        lambda: cli.main(args, "mrunners", standalone_mode=False),
        lambda: run_module._run_flow(options(), "", CONSOLE),
    ):
        assert exit_code_of(command) == ExitCode.INVALID
        assert capsys.readouterr().err == f"error: {NO_URL}\n"


@pytest.mark.parametrize("text", ["http://host:port/api", "http://a..b:4200/api"])
def test_what_is_no_url_in_a_profile_is_refused_too(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_module, "prepare_prefect", lambda _: None)
    for command in (
        lambda: run_remotely("nightly", options(), (), CONSOLE),
        lambda: run_module._run_flow(options(), "", CONSOLE),
    ):
        with temporary_settings({PREFECT_API_URL: text}):
            assert exit_code_of(command) == ExitCode.INVALID
        assert capsys.readouterr().err == f"error: {NO_URL}\n"


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:4200/api",
        "https://prefect.load.svc.:443/api",
        "http://me:a@b@a_b:1/api",
        "http://[::1]:4200/api",
        "http://[fe80::1%25eth0]/api",
        "HTTP://host:/api",
    ],
)
def test_what_is_a_url_is_accepted(text: str) -> None:
    check_prefect_url(text)


def test_a_server_that_redirects_to_what_is_no_url_does_not_answer() -> None:
    with server(lambda path: (302, b"http://a..b/")) as url, pytest.raises(UnreachableError):
        require_prefect_server(f"{url}/api")


def test_a_server_that_does_not_answer_is_unreachable_and_its_password_is_not_shown() -> None:
    with server(prefect) as url:
        pass
    with pytest.raises(UnreachableError) as caught:
        require_prefect_server(url.replace("//", "//me:hunter2@"))
    assert str(caught.value) == (
        f"the Prefect server {url} does not answer: [Errno 111] Connection refused; start it, or "
        "unset PREFECT_API_URL to run without one"
    )
    assert without_user("http://me:a@b@host:1/api") == "http://host:1/api"
