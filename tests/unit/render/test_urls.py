"""Request names without the server that they share."""

from __future__ import annotations

from mrunners.formatting import shared_server, without_server

ONE = "LIST https://10.0.0.1:6443/api/v1/pods?limit=5"


def test_the_server_that_all_share_is_left_out() -> None:
    server = shared_server([ONE, "https://10.0.0.1:6443/api"])
    assert server == "https://10.0.0.1:6443"
    assert without_server(ONE, server) == "LIST /api/v1/pods?limit=5"
    assert without_server("https://10.0.0.1:6443/api", server) == "/api"


def test_names_of_several_servers_stay_whole() -> None:
    assert shared_server([ONE, ONE.replace("10.0.0.1", "10.0.0.2")]) is None
    assert shared_server([ONE, "something else"]) is None
    assert shared_server([]) is None
    assert without_server(ONE, None) == ONE
