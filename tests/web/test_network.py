"""Whom a request is counted for, where limits are kept per caller."""

import pytest
from flask import Flask, request

from server.web.network import network

HERE = Flask("here")
PEER, CLIENT = "9.9.9.9", "8.8.4.4"


@pytest.mark.parametrize(
    ("peer", "told", "counted"),
    [
        (PEER, "", PEER),
        (PEER, CLIENT, PEER),  # anybody may write that
        ("127.0.0.1", f"1.2.3.4, {CLIENT}", CLIENT),  # the last word is our own proxy's
        ("172.17.0.1", CLIENT, CLIENT),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        (f"::ffff:{PEER}", "", PEER),
        ("", "", ""),
    ],
)
def test_a_caller_is_told_by_the_address_that_cannot_be_made_up(
    peer: str, told: str, counted: str
) -> None:
    place = HERE.test_request_context(
        environ_base={"REMOTE_ADDR": peer}, headers={"X-Forwarded-For": told}
    )
    with place:
        assert network(request) == counted


def test_one_home_of_ipv6_is_one_caller() -> None:
    def at(address: str) -> str:
        with HERE.test_request_context(environ_base={"REMOTE_ADDR": address}):
            return network(request)

    assert at("2a00:1450:4001:82a::1") == at("2a00:1450:4001:82a:ffff::2")
    assert at("2a00:1450:4001:82a::1") != at("2a00:1450:4001:82b::1")
