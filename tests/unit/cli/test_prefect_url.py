"""A Prefect server that does not answer, or is not one, is known before the flow begins."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from mrunners.errors import InvalidInputError, UnreachableError
from mrunners_cli.prefect_url import require_prefect_server, without_user


@contextmanager
def server(answers: Callable[[str], tuple[int, bytes]]) -> Iterator[str]:
    """Serve HTTP on a free port; `answers` maps a path to a status and a body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers(self.path)
            self.send_response(status)
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
    ],
)
def test_what_is_no_url_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^PREFECT_API_URL must be a URL such as http://"):
        require_prefect_server(text)


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
