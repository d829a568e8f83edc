"""Names of requests without the server that they all share."""

from __future__ import annotations

from mrunners.formatting import shared_server, without_server

REQUEST = "LIST https://10.0.0.1:6443/api/v1/pods?limit=5"


def test_the_shared_server_is_left_out() -> None:
    server = shared_server([REQUEST, "https://10.0.0.1:6443/api"])
    assert server == "https://10.0.0.1:6443"
    assert without_server(REQUEST, server) == "LIST /api/v1/pods?limit=5"
    assert without_server("https://10.0.0.1:6443/api", server) == "/api"


def test_names_of_several_servers_are_unchanged() -> None:
    assert shared_server([REQUEST, REQUEST.replace("10.0.0.1", "10.0.0.2")]) is None
    assert shared_server([REQUEST, "something else"]) is None
    assert shared_server([]) is None
    assert without_server(REQUEST, None) == REQUEST
