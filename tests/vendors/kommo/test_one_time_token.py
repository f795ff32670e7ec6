"""Kommo's one-time token: who calls from inside an account, and what proves nothing."""

from datetime import timedelta
from typing import Any

import jwt
import pytest

from server.vendors.kommo import auth
from server.vendors.oauth import OAuthApp
from tests.fixed_clock import START

HOSTS = (".kommo.com", ".amocrm.com")
APP = OAuthApp("id-1", "s3cret-of-the-integration-0123456789", "https://bill.test:8443/oauth/kommo")


def claims(**changes: Any) -> dict[str, Any]:
    now = int(START.timestamp())
    return {
        "iss": "https://demo.kommo.com",
        "aud": "https://bill.test",
        "jti": "j-1",
        "iat": now,
        "nbf": now,
        "exp": now + 1800,
        "account_id": 501,
        "user_id": 9,
        "client_uuid": "id-1",
    } | changes


def signed(**changes: Any) -> str:
    body = {key: value for key, value in claims(**changes).items() if value is not None}
    return jwt.encode(body, APP.client_secret, "HS256")


def test_a_token_tells_who_calls_from_where() -> None:
    token = auth.read_one_time_token(signed(), APP, HOSTS, START)
    assert token == auth.OneTimeToken(
        501, 9, "j-1", "demo.kommo.com", START + timedelta(minutes=30), None
    )


@pytest.mark.parametrize("audience", ["https://bill.test", "https://bill.test:8443"])
def test_the_audience_may_name_our_port_or_not(audience: str) -> None:
    assert auth.read_one_time_token(signed(aud=audience), APP, HOSTS, START).user_id == 9


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "http://demo.kommo.com"},
        {"iss": "https://kommo.com"},
        {"iss": "https://demo.kommo.com.evil.test"},
        {"iss": "https://evil.test/demo.kommo.com"},
        {"iss": "https://x@demo.kommo.com"},
        {"iss": "https://[broken"},
        {"aud": "https://other.test"},
        {"client_uuid": "id-2"},
        {"jti": None},
        {"exp": None},
        {"nbf": None},
        {"account_id": None},
        {"account_id": "many"},
        {"exp": "soon"},
        {"exp": 10**18},
        {"nbf": int(START.timestamp()) + 31},
        {"exp": int(START.timestamp()) - 30},
    ],
)
def test_a_token_that_proves_nothing_is_bad(changes: dict[str, Any]) -> None:
    with pytest.raises(auth.BadToken) as caught:
        auth.read_one_time_token(signed(**changes), APP, HOSTS, START)
    assert "eyJ" not in str(caught.value)


@pytest.mark.parametrize("token", ["", "a.b.c", "x" * 5000, "eyJ" + "." * 4000, "ü.ü.ü"])
def test_what_is_no_token_is_bad(token: str) -> None:
    with pytest.raises(auth.BadToken):
        auth.read_one_time_token(token, APP, HOSTS, START)


def test_the_token_is_judged_by_the_time_passed_in() -> None:
    later = START + timedelta(minutes=30, seconds=29)
    assert auth.read_one_time_token(signed(), APP, HOSTS, later).jti == "j-1"
    with pytest.raises(auth.BadToken):
        auth.read_one_time_token(signed(), APP, HOSTS, later + timedelta(seconds=1))


def test_without_a_secret_no_token_is_accepted() -> None:
    app = OAuthApp("id-1", "", "https://bill.test/oauth/kommo")
    with pytest.raises(auth.BadToken):
        auth.read_one_time_token(signed(), app, HOSTS, START)


def test_an_emulator_on_this_machine_may_speak_plain_http() -> None:
    token = signed(iss="http://127.0.0.1:8081")
    read = auth.read_one_time_token(token, APP, ("127.0.0.1:8081",), START)
    assert read.host == "127.0.0.1:8081"
    with pytest.raises(auth.BadToken):
        auth.read_one_time_token(token, APP, HOSTS, START)
