"""What an access token opens, for how long, and in whose name (kommo.md §1, §2, §7)."""

from datetime import timedelta
from urllib.parse import urlsplit

import jwt
import pytest
import requests

from tests.sandbox.kommo.calls import CLIENT_ID, SECRET, Kommo

pytestmark = pytest.mark.quirk


def test_an_access_token_lives_a_day(kommo: Kommo) -> None:
    kommo.sandbox.clock.advance(timedelta(hours=24, seconds=-1))
    assert kommo.get("account").status_code == 200
    kommo.sandbox.clock.advance(timedelta(seconds=1))
    assert kommo.get("account").status_code == 401


def test_the_access_token_names_account_and_api_domain(kommo: Kommo) -> None:
    claims = jwt.decode(kommo.token, options={"verify_signature": False, "verify_aud": False})
    assert claims["account_id"] == kommo.account.account_id
    assert claims["aud"] == CLIENT_ID
    assert claims["api_domain"] == urlsplit(kommo.sandbox.kommo.auth_url).netloc


def test_a_one_time_token_is_signed_with_the_secret_for_the_redirect_host(kommo: Kommo) -> None:
    token = kommo.account.make_one_time_token()
    claims = jwt.decode(
        token,
        SECRET,
        algorithms=["HS256"],
        audience="http://127.0.0.1",
        options={"verify_exp": False},
    )
    assert claims["exp"] - claims["iat"] == 1800
    assert claims["iss"] == kommo.account.url
    assert (claims["client_uuid"], claims["account_id"]) == (CLIENT_ID, kommo.account.account_id)
    assert claims["user_id"] == kommo.account.admin.id
    assert claims["is_admin"] is True
    assert jwt.get_unverified_header(token)["alg"] == "HS256"


def test_a_token_of_another_account_is_refused(kommo: Kommo) -> None:
    other = kommo.sandbox.kommo.add_account("other")
    reply = requests.get(
        f"{other.url}/api/v4/account",
        headers={"Authorization": f"Bearer {kommo.token}"},
        timeout=5,
    )
    assert reply.status_code == 401
    assert reply.headers["Content-Type"] == "application/problem+json"


def test_a_managers_token_inherits_the_managers_rights(kommo: Kommo) -> None:
    manager = kommo.account.add_user("Mark Reed", leads="M")
    kommo.account.add_deal("Other's")
    own = kommo.account.add_deal("Own", responsible_user_id=manager.id)
    kommo.connect(manager.id)
    assert kommo.get("users").status_code == 403
    assert kommo.get("webhooks").status_code == 403
    listed = kommo.get("leads").json()["_embedded"]["leads"]
    assert [row["id"] for row in listed] == [own.id]


def test_an_admins_grant_survives_the_admin(kommo: Kommo) -> None:
    second = kommo.account.add_user("Ada Kahn", is_admin=True)
    manager = kommo.account.add_user("Mark Reed")
    kommo.connect(second.id)
    second.is_active = False
    assert kommo.get("account").status_code == 200
    kommo.connect(manager.id)
    manager.is_active = False
    assert kommo.get("account").status_code == 401


def test_a_call_can_be_made_in_the_name_of_a_user(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Hidden")
    manager = kommo.account.add_user("Mark Reed", leads="M")
    free = kommo.account.add_user("Eve", is_free=True)

    def status(user_id: object) -> int:
        headers = {"X-Context-User-ID": str(user_id)}
        return kommo.send("GET", f"/api/v4/leads/{deal.id}", headers=headers).status_code

    assert status(kommo.account.admin.id) == 200
    assert status(manager.id) == 403
    assert status(free.id) == 401
    assert status(999) == 401


def test_a_long_lived_token_needs_no_refresh(kommo: Kommo) -> None:
    kommo.token = kommo.account.issue_long_lived(CLIENT_ID)
    kommo.sandbox.clock.advance(timedelta(days=200))
    assert kommo.get("account").status_code == 200


def test_by_a_switch_the_context_user_is_denied_otherwise(kommo: Kommo) -> None:
    kommo.sandbox.kommo.switches.context_user_denied_status = 403
    headers = {"X-Context-User-ID": "999"}
    assert kommo.send("GET", "/api/v4/account", headers=headers).status_code == 403


def test_by_a_switch_the_one_time_token_is_silent_about_admins(kommo: Kommo) -> None:
    kommo.sandbox.kommo.switches.is_admin_claim = False
    token = kommo.account.make_one_time_token()
    claims = jwt.decode(token, options={"verify_signature": False, "verify_aud": False})
    assert "is_admin" not in claims
